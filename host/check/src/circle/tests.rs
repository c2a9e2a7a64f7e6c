//! Known graphs, and random ones against an independent method.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{Graph, circles};

/// Each edge has the line `10 * from + to`.
fn graph(edges: &[(u8, u8)]) -> Graph<u8> {
    let mut graph = Graph::new();
    for (from, to) in edges {
        graph.entry(*from).or_default().insert(*to, line(*from, *to));
    }
    graph
}

fn line(from: u8, to: u8) -> usize {
    10 * usize::from(from) + usize::from(to)
}

fn chains(edges: &[(u8, u8)]) -> Vec<String> {
    circles(&graph(edges)).iter().map(ToString::to_string).collect()
}

#[test]
fn a_diamond_has_no_circle() {
    assert_eq!(chains(&[(1, 2), (1, 3), (2, 4), (3, 4)]), [""; 0]);
}

#[test]
fn the_shortest_circle_is_reported() {
    let edges = [(1, 2), (2, 3), (3, 1), (3, 4), (2, 1)];
    assert_eq!(chains(&edges), ["1:12 -> 2:21 -> 1", "3:31 -> 1:12 -> 2:23 -> 3"]);
}

#[test]
fn separate_circles_are_all_reported() {
    assert_eq!(chains(&[(1, 1), (2, 3), (3, 2), (0, 2)]), ["1:11 -> 1", "2:23 -> 3:32 -> 2"]);
}

/// The nodes left when all without predecessor or without successor are taken
/// away again and again. Not the nodes on circles (a way between two circles
/// stays), but empty exactly if there is none.
fn core_of(edges: &[(u8, u8)]) -> BTreeSet<u8> {
    let mut nodes: BTreeSet<u8> = edges.iter().flat_map(|(from, to)| [*from, *to]).collect();
    loop {
        let inner = || edges.iter().filter(|(from, to)| nodes.contains(from) && nodes.contains(to));
        let kept: BTreeSet<u8> = nodes
            .iter()
            .copied()
            .filter(|n| inner().any(|e| e.0 == *n) && inner().any(|e| e.1 == *n))
            .collect();
        if kept == nodes {
            return nodes;
        }
        nodes = kept;
    }
}

proptest! {
    #[test]
    fn finds_circles_exactly_where_there_are_some(
        edges in prop::collection::vec((0u8..12, 0u8..12), 0..20)
    ) {
        let found = circles(&graph(&edges));
        prop_assert_eq!(found.is_empty(), core_of(&edges).is_empty());
        for circle in found {
            let nodes: Vec<u8> = circle.0.iter().map(|(node, _)| *node).collect();
            for ((from, written), to) in circle.0.iter().zip(nodes.iter().cycle().skip(1)) {
                prop_assert!(edges.contains(&(*from, *to)));
                prop_assert_eq!(*written, line(*from, *to));
            }
            let distinct: BTreeSet<_> = nodes.iter().collect();
            prop_assert_eq!(distinct.len(), nodes.len());
        }
    }
}
