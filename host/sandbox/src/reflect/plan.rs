//! How one exported function is offered as a tool: its schemas, and the way of its arguments and its result.

use std::collections::BTreeMap;

use dispatch::{ToolError, Violation};
use serde_json::{Map, Value, json};
use wasmtime::component::Val;
use wit_parser::{Function, FunctionKind, Resolve, Type, TypeDefKind};

use super::compile::{Compiler, Unsupported, text};
use super::lift::{self, Misfit};
use super::lower::Lowering;
use super::param_docs;
use super::pointer::Pointer;
use super::schema::{self, Side};
use super::shape::{Field, Kind, Name, Shape, TextRule};
use super::tool_error;
use super::words::{found, unknown_field};

/// The parameter that the host fills in from the case.
const BOUND: &str = "customer-id";

/// One function, compiled.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// `process-refund`.
    pub(crate) function: Name,
    /// `switchboard:refunds/refunds@1.0.0`.
    pub(crate) interface: String,
    docs: Option<String>,
    params: Vec<Field>,
    returns: Returns,
}

#[derive(Clone, Debug)]
enum Returns {
    Nothing,
    Value(Field),
    Result {
        ok: Option<Field>,
        error: Option<Shape>,
    },
}

impl Plan {
    /// Compiles a function of an interface.
    pub(super) fn compile(
        resolve: &Resolve,
        interface: &str,
        function: &Function,
    ) -> Result<Self, Unsupported> {
        if function.kind != FunctionKind::Freestanding {
            return Err("a method or an asynchronous function".to_owned());
        }
        let mut compiler = Compiler::new(resolve);
        let docs = text(&function.docs);
        let params = function
            .params
            .iter()
            .map(|param| {
                let name = Name::new(&param.name);
                let mut shape = compiler.shape(&param.ty)?;
                let own = docs
                    .as_deref()
                    .and_then(|docs| param_docs::of(docs, &name.json));
                shape.docs = own.or(shape.docs);
                Ok(Field { name, shape })
            })
            .collect::<Result<Vec<_>, Unsupported>>()?;
        if params
            .iter()
            .any(|param| is_bound(param) && !can_be_bound(&param.shape))
        {
            return Err(format!(
                "{BOUND} with a type that is no string, so the host cannot bind it"
            ));
        }
        Ok(Self {
            function: Name::new(&function.name),
            interface: interface.to_owned(),
            docs,
            params,
            returns: returns(&mut compiler, resolve, function.result.as_ref())?,
        })
    }

    /// The name of the tool: `process_refund`.
    pub(crate) fn tool(&self) -> &str {
        &self.function.json
    }

    /// The tool's name for people: `Process refund`.
    pub(crate) fn title(&self) -> String {
        let words = self.function.json.replace('_', " ");
        let mut chars = words.chars();
        chars
            .next()
            .map(|first| first.to_uppercase().chain(chars).collect())
            .unwrap_or_default()
    }

    /// What a model reads; the title where the author wrote nothing.
    pub(crate) fn description(&self) -> String {
        self.docs
            .clone()
            .unwrap_or_else(|| format!("{}.", self.title()))
    }

    /// The signature without names of types and documentation: equal text, equal function.
    pub(crate) fn signature(&self) -> String {
        let params: Vec<String> = self
            .params
            .iter()
            .map(|param| format!("{}: {}", param.name.wit, param.shape))
            .collect();
        let params = params.join(", ");
        match &self.returns {
            Returns::Nothing => format!("func({params})"),
            Returns::Value(value) => format!("func({params}) -> {}", value.shape),
            Returns::Result { ok, error } => {
                let ok = ok
                    .as_ref()
                    .map_or("_".to_owned(), |ok| ok.shape.to_string());
                let error = error.as_ref().map_or("_".to_owned(), ToString::to_string);
                format!("func({params}) -> result<{ok}, {error}>")
            }
        }
    }

    /// JSON Schema of the arguments, without those that the host binds.
    pub(crate) fn input_schema(&self) -> Value {
        let offered = self.params.iter().filter(|param| !is_bound(param));
        schema::object(offered, Side::Input)
    }

    /// JSON Schema of the output; always an object.
    pub(crate) fn output_schema(&self) -> Value {
        match self.returns.output() {
            Some(field) if field.shape.is_object() => schema::of(&field.shape, Side::Output),
            field => schema::object(field.into_iter(), Side::Output),
        }
    }

    /// The parameters that the host binds: name → whether the tool cannot run without it.
    pub(crate) fn bound(&self) -> BTreeMap<String, bool> {
        self.params
            .iter()
            .filter(|param| is_bound(param))
            .map(|param| (param.name.json.clone(), !param.shape.is_option()))
            .collect()
    }

    /// How many values the function returns.
    pub(crate) fn result_count(&self) -> usize {
        usize::from(!matches!(self.returns, Returns::Nothing))
    }

    /// Checks arguments and gives them back in canonical form. Bound ones may be absent.
    pub(crate) fn check(&self, arguments: &Value) -> Result<Map<String, Value>, Vec<Violation>> {
        let Some(arguments) = arguments.as_object() else {
            return Err(vec![Violation {
                field: String::new(),
                message: format!(
                    "expected an object with the arguments, found {}",
                    found(arguments)
                ),
            }]);
        };
        let absent = |param: &Field| is_bound(param) && !arguments.contains_key(&param.name.json);
        let present: Vec<&Field> = self.params.iter().filter(|param| !absent(param)).collect();
        let values = self.convert(&present, arguments)?;
        // What was accepted is read back from the component's side, so there is one notion of a canonical form.
        lift::members(present.into_iter().zip(&values), Pointer::Root).map_err(|misfit| {
            vec![Violation {
                field: String::new(),
                message: misfit.to_string(),
            }]
        })
    }

    /// Converts arguments into the function's parameters; bound ones must be there.
    pub(crate) fn lower(&self, arguments: &Map<String, Value>) -> Result<Vec<Val>, Vec<Violation>> {
        let all: Vec<&Field> = self.params.iter().collect();
        self.convert(&all, arguments)
    }

    fn convert(
        &self,
        params: &[&Field],
        arguments: &Map<String, Value>,
    ) -> Result<Vec<Val>, Vec<Violation>> {
        let mut lowering = Lowering::of(Side::Input);
        for name in arguments.keys() {
            if !self.params.iter().any(|param| param.name.json == *name) {
                let offered = self.params.iter().filter(|param| !is_bound(param));
                let known = offered.map(|param| param.name.json.as_str());
                lowering.note(Pointer::Root.field(name), unknown_field(known));
            }
        }
        let values: Vec<Option<Val>> = params
            .iter()
            .map(|param| lowering.member(param, arguments, Pointer::Root))
            .collect();
        match values.into_iter().collect::<Option<Vec<_>>>() {
            Some(values) if lowering.violations.is_empty() => Ok(values),
            _ => Err(lowering.violations),
        }
    }

    /// Converts what the function returned: the output, or the plugin's typed error.
    pub(crate) fn lift(&self, returned: Option<&Val>) -> Result<Result<Value, ToolError>, Misfit> {
        match (&self.returns, returned) {
            (Returns::Result { error, .. }, Some(Val::Result(Err(payload)))) => {
                tool_error::lift(error.as_ref(), payload.as_deref()).map(Err)
            }
            (Returns::Result { ok, .. }, Some(Val::Result(Ok(payload)))) => {
                output(ok.as_ref(), payload.as_deref()).map(Ok)
            }
            (Returns::Value(field), returned) => output(Some(field), returned).map(Ok),
            _ => output(None, None).map(Ok),
        }
    }
}

/// What others than a component may say in JSON.
impl Plan {
    /// Checks an output that came as JSON, and gives it in canonical form, as [`Plan::lift`] does with a component's value.
    pub(super) fn output(&self, json: &Value) -> Result<Value, Misfit> {
        let Some(field) = self.returns.output() else {
            return output(None, None);
        };
        let mut lowering = Lowering::of(Side::Output);
        match lowering.value(&field.shape, json, Pointer::Root) {
            Some(val) if lowering.violations.is_empty() => output(Some(field), Some(&val)),
            _ => Err(Misfit::from(lowering.violations)),
        }
    }

    /// The same for an output that is already the object which the tool gives.
    pub(super) fn object(&self, json: &Value) -> Result<Value, Misfit> {
        match self.returns.output() {
            Some(field) if !field.shape.is_object() => {
                self.output(json.get(&field.name.json).unwrap_or(&Value::Null))
            }
            _ => self.output(json),
        }
    }

    /// All parameters as one object.
    pub(super) fn arguments(&self) -> Shape {
        Shape::plain(Kind::Record(self.params.clone()))
    }

    /// The object that the tool gives.
    pub(super) fn results(&self) -> Shape {
        match self.returns.output() {
            Some(field) if field.shape.is_object() => field.shape.clone(),
            field => Shape::plain(Kind::Record(field.into_iter().cloned().collect())),
        }
    }
}

impl Returns {
    fn output(&self) -> Option<&Field> {
        match self {
            Self::Nothing => None,
            Self::Value(field) => Some(field),
            Self::Result { ok, .. } => ok.as_ref(),
        }
    }
}

fn returns(
    compiler: &mut Compiler<'_>,
    resolve: &Resolve,
    result: Option<&Type>,
) -> Result<Returns, Unsupported> {
    let Some(ty) = result else {
        return Ok(Returns::Nothing);
    };
    let TypeDefKind::Result(sides) = resolved(resolve, ty) else {
        return Ok(Returns::Value(as_field(compiler.shape(ty)?)));
    };
    Ok(Returns::Result {
        ok: (sides.ok.as_ref())
            .map(|ok| compiler.shape(ok).map(as_field))
            .transpose()?,
        error: (sides.err.as_ref())
            .map(|error| compiler.shape(error))
            .transpose()?,
    })
}

/// What a type is once its aliases are followed.
fn resolved<'a>(resolve: &'a Resolve, ty: &'a Type) -> &'a TypeDefKind {
    const NO_DEFINITION: &TypeDefKind = &TypeDefKind::Unknown;
    match ty {
        Type::Id(id) => match &resolve.types[*id].kind {
            TypeDefKind::Type(aliased) => resolved(resolve, aliased),
            kind => kind,
        },
        _ => NO_DEFINITION,
    }
}

/// An output that is no object goes under `result`.
fn as_field(shape: Shape) -> Field {
    Field {
        name: Name::new("result"),
        shape,
    }
}

fn output(field: Option<&Field>, val: Option<&Val>) -> Result<Value, Misfit> {
    match (field, val) {
        (Some(field), Some(val)) if field.shape.is_object() => {
            lift::value(&field.shape, val, Pointer::Root)
        }
        (Some(field), Some(val)) => {
            lift::members([(field, val)].into_iter(), Pointer::Root).map(Value::Object)
        }
        _ => Ok(json!({})),
    }
}

fn is_bound(param: &Field) -> bool {
    param.name.wit == BOUND
}

fn can_be_bound(shape: &Shape) -> bool {
    match &shape.kind {
        Kind::Text(TextRule::Plain | TextRule::Id) => true,
        Kind::Option(some) => matches!(some.kind, Kind::Text(TextRule::Plain | TextRule::Id)),
        _ => false,
    }
}
