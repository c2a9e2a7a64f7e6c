//! Check: no files of a crate form a circle.
//!
//! File A points to file B where a path in A (an import, a re-export, a type, a
//! call, inside macros too) names something that B *defines*. Paths are
//! followed as rustc does it: through `crate`, `self` and `super`, child
//! modules, imports and globs, to the file with the definition. So a parent
//! that re-exports what a child defines points to the child, and a child that
//! uses what is defined in its parent's file points to the parent: both
//! together are a circle, to be solved by moving what both need into a file
//! beside them. Declaring a child (`mod child;`) points nowhere; importing a
//! module itself points to its file.
//!
//! Tests (`#[cfg(test)]`, and what lies in `tests/`, `examples/` and
//! `benches/`) are left out: they look at what they like. Methods and fields
//! are not seen, because their owners are known to the compiler only; whoever
//! has a value has named its type or something that leads to it. Where a name
//! could mean several things, all are taken.

mod imports;
mod names;
mod references;

use std::collections::BTreeSet;

use crate::circle::{Graph, circles};
use crate::module_tree::{ModuleTree, Scope};
use crate::problem::Problem;
use crate::sources::Sources;
use names::Names;

/// Reports each circle of files as a chain, with the lines that point on.
pub(crate) fn check(sources: &Sources<'_>) -> Vec<Problem> {
    let mut problems = BTreeSet::new();
    for package in &sources.workspace.packages {
        for root in package.product_roots(sources.tree) {
            let modules = ModuleTree::build(sources, &root, Scope::Product);
            problems.extend(modules.problems.iter().cloned());
            for circle in circles(&file_graph(&modules)) {
                let Some((file, line)) = circle.0.first() else { continue };
                let message = format!("files form a circle: {circle}");
                problems.insert(Problem::at_line(file.as_str(), *line, message));
            }
        }
    }
    problems.into_iter().collect()
}

/// For each file, the others whose definitions it names, with the first line
/// that does.
fn file_graph(modules: &ModuleTree<'_>) -> Graph<String> {
    let names = Names::collect(modules);
    let mut graph: Graph<String> = Graph::new();
    for module in modules.ids() {
        let from = modules.file(module);
        for reference in references::of(modules, module) {
            for to in names.files(module, &reference) {
                if to != from {
                    let edges = graph.entry(from.to_owned()).or_default();
                    let line = edges.entry(to.to_owned()).or_insert(reference.line);
                    *line = reference.line.min(*line);
                }
            }
        }
    }
    graph
}

#[cfg(test)]
mod tests;
