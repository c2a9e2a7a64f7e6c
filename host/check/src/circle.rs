//! Circles in a directed graph whose nodes are files or crates.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// For each node, the nodes it points to, each with the line that does.
pub(crate) type Graph<N> = BTreeMap<N, BTreeMap<N, usize>>;

/// Nodes in the order in which they point to each other, the last to the
/// first; each with the line that points to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Circle<N>(pub(crate) Vec<(N, usize)>);

impl<N: fmt::Display> fmt::Display for Circle<N> {
    /// Writes a chain that ends where it starts: `a:12 -> b:7 -> a`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (node, line) in &self.0 {
            write!(f, "{node}:{line} -> ")?;
        }
        self.0.first().map_or(Ok(()), |(node, _)| node.fmt(f))
    }
}

/// Circles of `graph`, such that every node that takes part in some circle is
/// in at least one of them. Each is a shortest one through its first node,
/// which is the smallest that no earlier circle holds. A node that points to
/// itself is a circle of one.
pub(crate) fn circles<N: Ord + Clone>(graph: &Graph<N>) -> Vec<Circle<N>> {
    let mut reported = BTreeSet::new();
    let mut circles = Vec::new();
    for node in graph.keys() {
        if !reported.contains(node)
            && let Some(circle) = shortest_through(graph, node)
        {
            reported.extend(circle.0.iter().map(|(node, _)| node.clone()));
            circles.push(circle);
        }
    }
    circles
}

/// A shortest way from `start` back to it, by breadth-first search.
fn shortest_through<N: Ord + Clone>(graph: &Graph<N>, start: &N) -> Option<Circle<N>> {
    // For each node reached: from where, and in which line.
    let mut reached: BTreeMap<&N, (&N, usize)> = BTreeMap::new();
    let mut front = vec![start];
    while !front.is_empty() {
        let mut next_front = Vec::new();
        for from in front {
            for (to, line) in graph.get(from).into_iter().flatten() {
                if to == start {
                    return Some(way_back(&reached, from, *line));
                }
                if !reached.contains_key(to) {
                    reached.insert(to, (from, *line));
                    next_front.push(to);
                }
            }
        }
        front = next_front;
    }
    None
}

/// The circle that ends with `last`, whose line `line` points to the start.
/// The start itself was not reached from anywhere.
fn way_back<N: Ord + Clone>(
    reached: &BTreeMap<&N, (&N, usize)>,
    last: &N,
    line: usize,
) -> Circle<N> {
    let mut steps = vec![(last.clone(), line)];
    let mut node = last;
    while let Some((previous, line)) = reached.get(node) {
        steps.push(((*previous).clone(), *line));
        node = previous;
    }
    steps.reverse();
    Circle(steps)
}

#[cfg(test)]
mod tests;
