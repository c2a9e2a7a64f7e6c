//! The rows of the table, and budgets.

use super::machines::Counts;
use crate::bench::sheet::Figure;

/// Instructions until a guest can be entered.
const MOST_INSTRUCTIONS: u64 = 15_000_000;
/// Bytes of the image.
const LARGEST_IMAGE: u64 = 2 << 20;
/// Bytes of memory in use, with one processor: each further one may take
/// 24 KiB more, which the smallest budget leaves out.
const MOST_MEMORY: u64 = (4 << 20) + (24 << 10);

/// All rows, of an image of `size` bytes and what was counted on each machine.
pub(super) fn all_figures(size: u64, counts: &[Counts]) -> Vec<Figure> {
    let by_machine = |count: fn(&Counts) -> u64| counts.iter().map(count).collect::<Vec<u64>>();
    let resident = |counts: &Counts| counts.memory.iter().map(|(_, bytes)| bytes).sum();
    let mut figures = vec![
        Figure::new("image, bytes", [size]).within(LARGEST_IMAGE),
        Figure::new("start: instructions of all processors", by_machine(|c| c.instructions))
            .within(MOST_INSTRUCTIONS),
        Figure::new("start: exits of all processors", by_machine(|c| c.exits)),
        Figure::new("memory, bytes", by_machine(resident)).within(MOST_MEMORY),
    ];
    let mut add = |of: fn(&Counts) -> &[(String, u64)], prefix: &str| {
        for (name, _) in counts.first().map_or(&[][..], of) {
            let count = |counts: &Counts| {
                of(counts).iter().find(|(other, _)| other == name).map(|(_, count)| *count)
            };
            let row: Option<Vec<u64>> = counts.iter().map(count).collect();
            let row = row.unwrap_or_default();
            if row.iter().any(|count| *count != 0) {
                figures.push(Figure::new(format!("{prefix}{name}"), row));
            }
        }
    };
    add(|counts| &counts.memory, "memory: ");
    add(|counts| &counts.operations, "");
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(instructions: u64) -> Counts {
        let of = |name: &str, count| (name.to_owned(), count);
        Counts {
            instructions,
            exits: 3,
            memory: vec![of("heap", 5), of("lost", 0)],
            operations: vec![of("switch", 7)],
        }
    }

    #[test]
    fn rows_are_by_name_and_zeros_are_left_out() {
        let rows = all_figures(9, &[counts(1), counts(2)]);
        let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names[3..], ["memory, bytes", "memory: heap", "switch"]);
        assert_eq!(rows[1].counts, [1, 2]);
        assert_eq!(rows[3].counts, [5, 5]);
    }

    #[test]
    fn one_machine_beyond_the_budget_is_too_many() {
        let rows = all_figures(9, &[counts(1), counts(MOST_INSTRUCTIONS + 1)]);
        assert!(!rows[1].keeps_budget() && rows[0].keeps_budget() && rows[2].keeps_budget());
    }
}
