//! Lists that come in pages, where an operation looks like one: by the usual names of parameters, and only those.

use described::{Field, Kind, Named, Pages, PagesStyle, Place, Tool, TypeDef};

use super::notes::Notes;

/// How many pages a call reads, unless the author says otherwise.
const PAGES: u32 = 5;
const PAGE: [&str; 3] = ["page", "page_number", "p"];
const OFFSET: [&str; 3] = ["offset", "skip", "start"];
const CURSOR: [&str; 4] = ["cursor", "after", "page_token", "starting_after"];
const NEXT: [&str; 3] = ["next_cursor", "next_page_token", "next"];

/// Makes a paged tool of one that has a parameter for the page and a result with one list.
pub(super) fn find(tool: &mut Tool, types: &mut Named<TypeDef>, notes: &mut Notes) {
    let Some(Kind::Named(result)) = tool.result.clone() else {
        return;
    };
    let Some((style, parameter)) = style(tool) else {
        return;
    };
    let Some(def) = types.get(&result).cloned() else {
        return;
    };
    let mut lists = def
        .fields
        .iter()
        .filter(|(_, field)| matches!(field.kind, Kind::List(_)));
    let (Some((list, field)), None) = (lists.next(), lists.next()) else {
        return;
    };
    let next = def
        .fields
        .iter()
        .find(|(name, field)| NEXT.contains(name) && field.kind == Kind::Text);
    let next = next.map(|(name, field)| field.pointer(name));
    if (style == PagesStyle::Cursor) != next.is_some() && style == PagesStyle::Cursor {
        return;
    }
    let more = "has_more_pages".to_owned();
    let mut paged = def.clone();
    paged.fields.insert(
        list,
        Field {
            optional: false,
            ..field.clone()
        },
    );
    paged.fields.insert(more.clone(), told());
    let name = free(types, &format!("{result}_pages"));
    types.insert(name.clone(), paged);
    let wire = tool
        .parameters
        .get(&parameter)
        .map(|known| known.wire_name(&parameter).to_owned());
    tool.parameters = tool
        .parameters
        .iter()
        .filter(|(name, _)| *name != parameter)
        .map(|(name, known)| (name.to_owned(), known.clone()))
        .collect();
    tool.result = Some(Kind::Named(name));
    tool.pages = Some(Pages {
        style,
        list: list.to_owned(),
        more,
        parameter: wire,
        start: None,
        size_parameter: None,
        size: None,
        next: next.filter(|_| style == PagesStyle::Cursor),
        max: PAGES,
    });
    notes.push(format!(
        "its list is put together of up to {PAGES} pages by {parameter}; see `pages`"
    ));
}

fn style(tool: &Tool) -> Option<(PagesStyle, String)> {
    let has = |names: &[&str]| {
        let queries = tool
            .parameters
            .iter()
            .filter(|(_, parameter)| parameter.place == Place::Query);
        queries
            .map(|(name, _)| name)
            .find(|name| names.contains(name))
            .map(str::to_owned)
    };
    let found = |style, names: &[&str]| has(names).map(|name| (style, name));
    found(PagesStyle::Cursor, &CURSOR)
        .or_else(|| found(PagesStyle::Page, &PAGE))
        .or_else(|| found(PagesStyle::Offset, &OFFSET))
}

fn told() -> Field {
    Field {
        kind: Kind::Boolean,
        at: None,
        optional: false,
        default: None,
        money: None,
        docs: Some("Whether there may be more than what is listed here.".to_owned()),
    }
}

fn free(types: &Named<TypeDef>, wanted: &str) -> String {
    let mut name = wanted.to_owned();
    for number in 2.. {
        if types.get(&name).is_none() {
            break;
        }
        name = format!("{wanted}_v{number}");
    }
    name
}
