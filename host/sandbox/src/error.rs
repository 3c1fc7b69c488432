//! Why a plugin could not be loaded: each says what is wrong and, where it can, what to do.

use policy::GrantError;
use thiserror::Error;

/// Why a plugin, or a set of plugins, was refused. What was live before stays live.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The file is larger than the host takes.
    #[error("the component has {bytes} bytes, and the host takes {limit} at most")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The largest size.
        limit: usize,
    },
    /// It is made of more than the host takes on.
    #[error("the component has {found} {what}, and the host takes {limit} at most")]
    TooComplex {
        /// `functions`.
        what: &'static str,
        /// How many.
        found: usize,
        /// The most.
        limit: usize,
    },
    /// Its compilation was ended.
    #[error(
        "compiling the component takes more than {0}, which is all that the host gives to one; make it smaller"
    )]
    TooCostly(String),
    /// The bytes are something else.
    #[error(
        "this is no WebAssembly component but {0}; build it for wasm32-wasip2, or wrap it with `wasm-tools component new`"
    )]
    NotAComponent(&'static str),
    /// A component that does not validate or compile.
    #[error("the component is invalid: {0}")]
    Invalid(String),
    /// It asks for something that its operator has not granted, or that no plugin can have.
    #[error("plugin {plugin} imports {import}: {remedy}")]
    UngrantedImport {
        /// The plugin's name in the configuration.
        plugin: String,
        /// `wasi:http/outgoing-handler@0.2.12`.
        import: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A grant that could never cover a request as it is written.
    #[error("a grant of plugin {plugin} does not fit: {reason}")]
    Grant {
        /// The plugin's name in the configuration.
        plugin: String,
        /// What does not fit.
        reason: GrantError,
    },
    /// An exported interface of the contract lacks a function, has one too many, or one of another type.
    #[error("{interface}#{function} does not fit the contract: {message}")]
    Contract {
        /// `switchboard:orders/orders@1.0.0`.
        interface: String,
        /// `lookup-order`.
        function: String,
        /// What was expected and what was found.
        message: String,
    },
    /// The contract's namespace, but an interface or a version that this host does not know.
    #[error(
        "{interface} is not in this host's contract; build the plugin against the contract of this host"
    )]
    UnknownContract {
        /// `switchboard:orders/orders@1.1.0`.
        interface: String,
    },
    /// A function whose types cannot be offered to a model.
    #[error("{interface}#{function} uses {uses}, which a tool cannot have")]
    Unsupported {
        /// The interface.
        interface: String,
        /// The function.
        function: String,
        /// What it uses.
        uses: String,
    },
    /// The host's own declaration of how an older major of its contract becomes a newer one does not fit the packages.
    #[error("{file}: {place}: {message}")]
    Conversion {
        /// The file.
        file: String,
        /// The interfaces, the function and the field.
        place: String,
        /// What is wrong.
        message: String,
    },
    /// What it carries as the description of an API is none, or makes no sense.
    #[error("the description of its API does not fit: {0}")]
    Description(String),
    /// The component exports nothing that could be a tool.
    #[error(
        "plugin {0} exports no tools: it must export an interface such as switchboard:orders/orders@1.0.0"
    )]
    NoTools(String),
    /// Two interfaces of one tenant offer the same tool.
    #[error("both {first} and {second} offer the tool {tool}; remove one of them")]
    Clash {
        /// The tool.
        tool: String,
        /// `orders: switchboard:orders/orders@1.0.0`.
        first: String,
        /// Likewise.
        second: String,
    },
    /// A text that a model would read has characters that people do not see.
    #[error(
        "the tool {tool} has the invisible character U+{character:04X} in its {place}: a model would read what no person sees; take it out"
    )]
    Hidden {
        /// The tool.
        tool: String,
        /// `description`, or where in its schemas.
        place: String,
        /// The character's code point.
        character: u32,
    },
    /// A tool whose name passes for another's.
    #[error("the tool {tool} of {from} passes for {other} of {whose}; give it another name")]
    Shadow {
        /// Its name.
        tool: String,
        /// The interface that offers it.
        from: String,
        /// The tool that it could be taken for.
        other: String,
        /// Where that one belongs.
        whose: String,
    },
    /// The host's own WIT does not parse.
    #[error("the contract's WIT is broken: {0}")]
    Wit(String),
    /// The host's own part failed: the engine could not start, or a background task ended.
    #[error("the sandbox failed: {0}")]
    Sandbox(String),
}
