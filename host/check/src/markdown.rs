//! Links, tables and headings of a document.
//!
//! Stands on the parser that mdBook uses, so that both see the same.

use std::collections::BTreeSet;

use pulldown_cmark::{CowStr, Event, LinkType, Options, Parser, Tag, TagEnd};

use crate::problem::line_of;

/// What the documents use beyond plain Markdown.
const OPTIONS: Options = Options::ENABLE_TABLES;

/// A link or picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// The line it starts in, counted from 1.
    pub(crate) line: usize,
    /// Where it leads, as written.
    pub(crate) target: String,
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Table {
    /// The texts of the first row.
    pub(crate) head: Vec<String>,
    /// The other rows.
    pub(crate) rows: Vec<Row>,
}

/// A row of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    /// Its line, counted from 1.
    pub(crate) line: usize,
    /// The texts of its cells without their marks.
    pub(crate) cells: Vec<String>,
}

/// All links and pictures of a document, those in HTML included.
pub(crate) fn links(text: &str) -> Vec<Link> {
    let mut links = Vec::new();
    for (event, span) in Parser::new_ext(text, OPTIONS).into_offset_iter() {
        let line = line_of(text, span.start);
        match event {
            Event::Start(Tag::Link { link_type: LinkType::Email, .. }) => {}
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                links.push(Link { line, target: dest_url.into_string() });
            }
            Event::Html(html) | Event::InlineHtml(html) => {
                let targets = ["href", "src"].map(|name| attributes(&html, name)).concat();
                let targets = targets.into_iter().map(str::to_owned);
                links.extend(targets.map(|target| Link { line, target }));
            }
            _ => {}
        }
    }
    links
}

/// The values of an attribute in a piece of HTML.
fn attributes<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    let start = format!(" {name}=\"");
    let values = html.split(start.as_str()).skip(1).filter_map(|rest| rest.split_once('"'));
    values.map(|(value, _)| value).collect()
}

/// All tables of a document.
pub(crate) fn tables(text: &str) -> Vec<Table> {
    let mut tables = Vec::new();
    let mut table = Table::default();
    let mut row = Row::default();
    let mut cell = String::new();
    for (event, span) in Parser::new_ext(text, OPTIONS).into_offset_iter() {
        match event {
            Event::Start(Tag::TableHead | Tag::TableRow) => row.line = line_of(text, span.start),
            Event::Text(text) | Event::Code(text) => cell.push_str(&text),
            Event::Start(Tag::TableCell) => cell.clear(),
            Event::End(TagEnd::TableCell) => row.cells.push(cell.trim().to_owned()),
            Event::End(TagEnd::TableHead) => table.head = std::mem::take(&mut row).cells,
            Event::End(TagEnd::TableRow) => table.rows.push(std::mem::take(&mut row)),
            Event::End(TagEnd::Table) => tables.push(std::mem::take(&mut table)),
            _ => {}
        }
    }
    tables
}

/// The names by which links can lead to the headings of a document, and to the
/// places that its HTML names.
pub(crate) fn anchors(text: &str) -> BTreeSet<String> {
    let options = OPTIONS | Options::ENABLE_HEADING_ATTRIBUTES | Options::ENABLE_SMART_PUNCTUATION;
    let mut anchors = BTreeSet::new();
    let mut heading: Option<(Option<String>, String)> = None;
    for event in Parser::new_ext(text, options) {
        match (event, &mut heading) {
            (Event::Start(Tag::Heading { id, .. }), _) => {
                heading = Some((id.map(CowStr::into_string), String::new()));
            }
            (Event::Text(text) | Event::Code(text), Some((_, title))) => title.push_str(&text),
            (Event::End(TagEnd::Heading(_)), _) => {
                if let Some((id, title)) = heading.take() {
                    let id = unused(id.unwrap_or_else(|| anchor_of(&title)), &anchors);
                    anchors.insert(id);
                }
            }
            (Event::Html(html) | Event::InlineHtml(html), _) => {
                anchors.extend(attributes(&html, "id").into_iter().map(str::to_owned));
            }
            _ => {}
        }
    }
    anchors
}

/// The name that mdBook gives to a heading.
fn anchor_of(title: &str) -> String {
    let kept = title.trim().chars().flat_map(char::to_lowercase).filter_map(|c| match c {
        c if c.is_alphanumeric() || c == '_' || c == '-' => Some(c),
        c if c.is_whitespace() => Some('-'),
        _ => None,
    });
    kept.collect()
}

/// `id`, or with the first number behind it that makes it another one than all
/// in `used`.
fn unused(id: String, used: &BTreeSet<String>) -> String {
    if !used.contains(&id) {
        return id;
    }
    let numbered = (1..=used.len()).map(|number| format!("{id}-{number}"));
    numbered.into_iter().find(|candidate| !used.contains(candidate)).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Row, anchors, links, tables};

    fn targets(text: &str) -> Vec<(usize, String)> {
        links(text).into_iter().map(|link| (link.line, link.target)).collect()
    }

    #[test]
    fn links_of_every_kind_are_found() {
        let text = "# [A](a.md)\n\n![p](p.png \"title\") and [r]\n<img src=\"i.svg\">\n\n\
                    <a href=\"h.md\">h</a> <me@example.org>\n\n[r]: r.md\n";
        let expected = [(1, "a.md"), (3, "p.png"), (3, "r.md"), (4, "i.svg"), (6, "h.md")];
        assert_eq!(targets(text), expected.map(|(line, target)| (line, target.to_owned())));
    }

    #[test]
    fn code_and_citations_are_no_links() {
        assert_eq!(targets("`[a](b)` [SNP ABI §8.17]\n\n```\n[a](b)\n```\n\n    [a](b)\n"), []);
    }

    #[test]
    fn headings_are_named_as_in_the_book() {
        let text = "# Ways that *data* takes: `abi/snp` & more\n## A_b -- C-d\n## Twice\n\
                    ### Twice\n\
                    ## Given {#own}\n<a id=\"html\"></a>\n\nTwice\n";
        let found = anchors(text);
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        let expected =
            ["a_b--c-d", "html", "own", "twice", "twice-1", "ways-that-data-takes-abisnp--more"];
        assert_eq!(found, expected);
    }

    #[test]
    fn tables_are_taken_apart() {
        let found = tables("| a | b |\n|---|---|\n| `x` | see [y](z), *w* |\n| p \\| q |\n");
        let row = |line, cells: &[&str]| Row {
            line,
            cells: cells.iter().map(|cell| (*cell).to_owned()).collect(),
        };
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].head, ["a", "b"]);
        assert_eq!(found[0].rows, [row(3, &["x", "see y, w"]), row(4, &["p | q", ""])]);
    }

    proptest! {
        #[test]
        fn lines_lie_in_the_document(text in "[a\n|`<>()\\[\\]!:#-]{0,60}") {
            let lines = text.lines().count().max(1);
            for link in links(&text) {
                prop_assert!((1..=lines).contains(&link.line));
            }
            for row in tables(&text).into_iter().flat_map(|table| table.rows) {
                prop_assert!((1..=lines).contains(&row.line));
            }
        }
    }
}
