//! Components that no compiler makes: written as text, or added to one, for what a Rust plugin cannot be brought to do.

/// A component with one tool, of this core module.
fn component(tool: &str, core: &str) -> Vec<u8> {
    let text = format!(
        "(component
            (core module $m {core})
            (core instance $i (instantiate $m))
            (func $f (canon lift (core func $i \"{tool}\")))
            (instance $e (export \"{tool}\" (func $f)))
            (export \"acme:{tool}/{tool}@1.0.0\" (instance $e)))"
    );
    wat::parse_str(text).unwrap()
}

/// It never gets through its start.
pub(super) fn endless_start() -> Vec<u8> {
    component(
        "boot",
        "(func $go (loop (br 0))) (start $go) (func (export \"boot\"))",
    )
}

/// It makes its table larger and larger.
pub(super) fn growing_table() -> Vec<u8> {
    component(
        "grow",
        "(table 1 funcref)
         (func (export \"grow\")
            (loop $more
                (br_if $more (i32.ne (table.grow (ref.null func) (i32.const 1000)) (i32.const -1))))
            unreachable)",
    )
}

/// So many memories in one module.
pub(super) fn many_memories(memories: usize) -> Vec<u8> {
    let core = "(memory 1)".repeat(memories) + "(func (export \"many\"))";
    component("many", &core)
}

/// So many modules with a memory and a table each: every call takes as much of the pool as many calls.
pub(super) fn many_modules(modules: usize) -> Vec<u8> {
    let module = |at| {
        format!(
            "(core module $m{at} (memory 1) (table 1 funcref)) (core instance (instantiate $m{at}))"
        )
    };
    let modules = (0..modules).map(module).collect::<Vec<_>>().concat();
    let text = format!(
        "(component {modules}
            (core module $m (func (export \"many\")))
            (core instance $i (instantiate $m))
            (func $f (canon lift (core func $i \"many\")))
            (instance $e (export \"many\" (func $f)))
            (export \"acme:many/many@1.0.0\" (instance $e)))"
    );
    wat::parse_str(text).unwrap()
}

/// So many functions, each as small as can be.
pub(super) fn many_functions(functions: usize) -> Vec<u8> {
    let core = "(func)".repeat(functions) + "(func (export \"many\"))";
    component("many", &core)
}

/// Functions that take long to compile: each has many variables, all of them alive at every one of many branches.
pub(super) fn compile_bomb(functions: usize, branches: usize) -> Vec<u8> {
    const VARIABLES: usize = 1_000;
    let locals = "i64 ".repeat(VARIABLES);
    let branch = |turn: usize| {
        let variable = turn % VARIABLES;
        format!(
            "(if (i32.wrap_i64 (local.get {variable})) (then (local.set {} (i64.add (local.get {variable}) (local.get {})))))",
            (turn * 7 + 1) % VARIABLES,
            (turn * 13 + 5) % VARIABLES
        )
    };
    let body: String = (0..branches).map(branch).collect();
    let function =
        format!("(func (local {locals}) (loop {body} (br_if 0 (i32.wrap_i64 (local.get 0)))))");
    component(
        "many",
        &(function.repeat(functions) + "(func (export \"many\"))"),
    )
}

/// A type that doubles with every line.
pub(super) fn type_bomb(doublings: usize) -> Vec<u8> {
    let first = "(type $t0 (tuple u8 u8))".to_owned();
    let doubled = |level: usize| format!("(type $t{level} (tuple $t{0} $t{0}))", level - 1);
    let types: String = std::iter::once(first)
        .chain((1..=doublings).map(doubled))
        .collect();
    let text = format!(
        "(component {types}
            (core module $m (memory (export \"m\") 1) (func (export \"many\") (param i32))
                (func (export \"r\") (param i32 i32 i32 i32) (result i32) unreachable))
            (core instance $i (instantiate $m))
            (func $f (param \"x\" $t{doublings})
                (canon lift (core func $i \"many\") (memory (core memory $i \"m\")) (realloc (core func $i \"r\"))))
            (instance $e (export \"many\" (func $f)))
            (export \"acme:many/many@1.0.0\" (instance $e)))"
    );
    wat::parse_str(text).unwrap()
}

/// Components inside one another, deeper than text can say it.
pub(super) fn nested(depth: usize) -> Vec<u8> {
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";
    const COMPONENT: u8 = 4;
    (1..depth).fold(EMPTY.to_vec(), |inner, _| {
        [EMPTY, &[COMPONENT], &length(inner.len()), &inner].concat()
    })
}

/// A good component with a custom section of so many bytes.
pub(super) fn padded(good: &[u8], bytes: usize) -> Vec<u8> {
    with_section(good, "x", &vec![0; bytes])
}

/// A component of two packages each of which needs the other, which some parsers follow for ever.
pub(super) fn packages_in_a_circle() -> Vec<u8> {
    let text = "(component $c
        (import \"a:a/x\" (instance $x
            (type $r (record (field \"f\" u32))) (export \"t\" (type (eq $r)))))
        (alias export $x \"t\" (type $t))
        (import \"b:b/z\" (instance $z
            (alias outer $c $t (type $o)) (export \"t\" (type (eq $o)))))
        (alias export $z \"t\" (type $u))
        (import \"a:a/y\" (instance $y
            (alias outer $c $u (type $o)) (export \"t\" (type (eq $o))))))";
    wat::parse_str(text).unwrap()
}

/// A good component with documentation whose types are nested so deep.
pub(super) fn deep_documentation(good: &[u8], levels: usize) -> Vec<u8> {
    let (open, close) = ("list<".repeat(levels), ">".repeat(levels));
    let text =
        format!("package acme:deep@1.0.0;\ninterface deep {{ dig: func(at: {open}u8{close}); }}\n");
    with_section(good, "switchboard-wit", text.as_bytes())
}

/// A good component with a description of an API, one request of it being a tool.
pub(super) fn described(good: &[u8], tool: &str) -> Vec<u8> {
    let description = format!(
        "name = \"{tool}\"
        [type.found]
        fields = {{ said = {{ type = \"string\" }} }}
        [tool.{tool}]
        docs = \"Digs.\"
        method = \"GET\"
        path = \"/{tool}\"
        result = \"found\""
    );
    with_section(good, "switchboard-api", description.as_bytes())
}

/// A component with a manifest, as the program wants it of whatever is installed.
pub(super) fn with_manifest(component: &[u8]) -> Vec<u8> {
    let manifest = b"name = \"broken\"\nversion = \"1.0.0\"\n";
    with_section(component, "switchboard-manifest", manifest)
}

fn with_section(good: &[u8], name: &str, data: &[u8]) -> Vec<u8> {
    const CUSTOM: u8 = 0;
    let name = [&length(name.len()), name.as_bytes()].concat();
    let size = length(name.len() + data.len());
    [good, &[CUSTOM], &size, &name, data].concat()
}

/// As WebAssembly writes lengths.
fn length(mut length: usize) -> Vec<u8> {
    let mut bytes = vec![];
    while length >= 0x80 {
        bytes.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    bytes.push(u8::try_from(length).unwrap());
    bytes
}
