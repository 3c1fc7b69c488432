//! Compiling in a process of its own, with an end to its time and its memory: what a component costs there, it costs nobody
//! else. Before that, such a process reads the component: parsers go round in circles for some, and take their process with them.
//!
//! The host starts its own program again, which does nothing but [`compile_standard_input`], or
//! [`read_standard_input`]. The process inherits neither
//! environment nor files; a component goes in, machine code comes out, and the host alone writes and seals its cache.

use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{self, ExitCode, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::reflect::{self, Contract};
use crate::{LoadError, engine};

/// Bytes of machine code that are taken from the process.
const CODE_BYTES: u64 = 1 << 30;
/// Bytes of an error's text that are read.
const TEXT_BYTES: u64 = 4_096;
/// The exit code that says: the component is invalid.
const INVALID: u8 = 2;

/// What makes the process read and no more.
const ONLY_READ: &str = "--only-read";
/// Stack for reading: less than any thread has on which the host reads then.
const STACK_BYTES: usize = 3 << 19;

/// How to compile in a process of its own.
#[derive(Clone, Debug)]
pub struct Compiler {
    /// The program.
    pub program: PathBuf,
    /// What makes it call [`compile_standard_input`]; the memory limit in bytes follows as the last argument.
    pub arguments: Vec<String>,
    /// Longest time for one component.
    pub time: Duration,
    /// Most address space for one component.
    pub memory_bytes: u64,
}

impl Compiler {
    /// This program with this argument, within limits that the largest language run-times stay below.
    pub fn new(program: PathBuf, argument: &str) -> Self {
        Self {
            program,
            arguments: vec![argument.to_owned()],
            time: Duration::from_mins(5),
            memory_bytes: 6 << 30,
        }
    }

    /// Machine code for this component.
    pub(crate) async fn compile(&self, component: &[u8]) -> Result<Vec<u8>, LoadError> {
        let child = self.start().map_err(|error| {
            LoadError::Sandbox(format!("the process that compiles cannot start: {error}"))
        })?;
        let Ok(ended) = timeout(self.time, converse(child, component)).await else {
            return Err(LoadError::TooCostly(format!("{} s", self.time.as_secs())));
        };
        let Ended { status, code, text } =
            ended.map_err(|error| LoadError::Sandbox(error.to_string()))?;
        match status.code() {
            Some(0) => Ok(code),
            Some(exit) if exit == i32::from(INVALID) && !is_about_memory(&text) => {
                Err(LoadError::Invalid(text.trim().to_owned()))
            }
            _ => Err(LoadError::TooCostly(format!(
                "{} MiB of memory",
                self.memory_bytes >> 20
            ))),
        }
    }

    /// Has a process read this component as the host will, and fails where that process does not live to its end. What is wrong
    /// otherwise, the host finds itself. Blocks.
    pub(crate) fn try_reading(&self, component: &[u8]) -> Result<(), LoadError> {
        let reading = || {
            let mut child = process::Command::new(&self.program)
                .args(&self.arguments)
                .args([&self.memory_bytes.to_string(), ONLY_READ])
                .env_clear()
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()?;
            if let Some(mut to) = child.stdin.take() {
                // One that dies while it reads says so by its status.
                let _: io::Result<()> = to.write_all(component);
            }
            child.wait()
        };
        let status = reading().map_err(|error| {
            LoadError::Sandbox(format!("the process that reads cannot start: {error}"))
        })?;
        // A signal ended it: of a stack, memory or time that was used up.
        let survived = status.code().is_some();
        survived.then_some(()).ok_or_else(|| {
            let why = "it cannot be read: its packages lead round in a circle, or it is nested without an end";
            LoadError::Invalid(why.to_owned())
        })
    }

    fn start(&self) -> io::Result<Child> {
        Command::new(&self.program)
            .args(&self.arguments)
            .arg(self.memory_bytes.to_string())
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Whoever stops waiting for it ends it.
            .kill_on_drop(true)
            .spawn()
    }
}

/// What the process left behind.
struct Ended {
    status: ExitStatus,
    code: Vec<u8>,
    text: String,
}

async fn converse(mut child: Child, component: &[u8]) -> io::Result<Ended> {
    let (Some(mut to), Some(from), Some(errors)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(io::ErrorKind::BrokenPipe.into());
    };
    let (mut code, mut text) = (Vec::new(), Vec::new());
    let (mut from, mut errors) = (from.take(CODE_BYTES), errors.take(TEXT_BYTES));
    let feed = async {
        // One that dies while it reads says why by its status.
        let _: io::Result<()> = to.write_all(component).await;
        drop(to);
    };
    let ((), read, said) = tokio::join!(
        feed,
        from.read_to_end(&mut code),
        errors.read_to_end(&mut text)
    );
    read?;
    said?;
    Ok(Ended {
        status: child.wait().await?,
        code,
        text: String::from_utf8_lossy(&text).into_owned(),
    })
}

fn is_about_memory(text: &str) -> bool {
    text.contains("memory") && (text.contains("allocate") || text.contains("os error 12"))
}

/// What the process does: reads a component from the standard input and writes machine code to the standard output, within so
/// much address space. Errors go to the standard error.
pub fn compile_standard_input(memory_bytes: u64) -> ExitCode {
    stand_back(memory_bytes);
    let mut component = Vec::new();
    let compiled = io::stdin()
        .lock()
        .read_to_end(&mut component)
        .map_err(|error| error.to_string())
        .and_then(|_| machine_code(&component))
        .and_then(|code| {
            let mut out = io::stdout().lock();
            let written = out.write_all(&code).and_then(|()| out.flush());
            written.map_err(|error| error.to_string())
        });
    match compiled {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("{text}");
            ExitCode::from(INVALID)
        }
    }
}

/// What the process does that only reads: reads a component from the standard input as the host does, by this contract. How it ends
/// is all that it tells.
pub fn read_standard_input(memory_bytes: u64, contract: &[(String, String)]) -> ExitCode {
    stand_back(memory_bytes);
    end_some_time();
    let mut component = Vec::new();
    let read = io::stdin().lock().read_to_end(&mut component);
    let (Ok(_), Ok(contract)) = (read, Contract::parse(contract)) else {
        return ExitCode::FAILURE;
    };
    let reading = thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(move || reflect::reflect(&component, &contract).is_ok());
    let read = reading.map(thread::JoinHandle::join);
    ExitCode::from(u8::from(!matches!(read, Ok(Ok(true)))))
}

fn machine_code(component: &[u8]) -> Result<Vec<u8>, String> {
    let engine = engine::for_compiling().map_err(|error| error.to_string())?;
    let code = engine.precompile_component(component);
    code.map_err(|error| format!("{error:#}"))
}

/// Limits this process, puts it behind all others, and makes it the first to go where the machine runs out of memory.
#[cfg(target_os = "linux")]
fn stand_back(memory_bytes: u64) {
    use rustix::process::{Resource, Rlimit, setpriority_process, setrlimit};

    let at_most = |limit| Rlimit {
        current: Some(limit),
        maximum: Some(limit),
    };
    let limited = setrlimit(Resource::As, at_most(memory_bytes));
    let limited = limited.and_then(|()| setrlimit(Resource::Core, at_most(0)));
    if let Err(error) = limited.and_then(|()| setpriority_process(None, 10)) {
        eprintln!("the compiler cannot be limited: {error}");
    }
    // In some containers the file cannot be written, and then there is no harm in it.
    let _: io::Result<()> = std::fs::write("/proc/self/oom_score_adj", "1000");
}

/// Reading takes milliseconds: a minute of computing is without end.
#[cfg(target_os = "linux")]
fn end_some_time() {
    use rustix::process::{Resource, Rlimit, setrlimit};

    let minute = Rlimit {
        current: Some(60),
        maximum: Some(60),
    };
    if let Err(error) = setrlimit(Resource::Cpu, minute) {
        eprintln!("the time for reading cannot be limited: {error}");
    }
}

#[cfg(not(target_os = "linux"))]
fn end_some_time() {}

/// Elsewhere only its time is limited.
#[cfg(not(target_os = "linux"))]
fn stand_back(_: u64) {}
