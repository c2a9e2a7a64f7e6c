//! Sequences are the same each time, and our device alone answers them.

use svsm_tpm::message::Response;

use super::dice::Dice;
use super::model::Model;
use super::{draw, mutation};
use crate::tpm::{InProcess, Peer};

#[test]
fn a_number_makes_the_same_commands_each_time() {
    let commands = |number| {
        let (mut dice, model) = (Dice::new(number), Model::default());
        let step = |_| mutation::perhaps(draw(&model, &mut dice), &mut dice).0.commands;
        (0..50).map(step).collect::<Vec<_>>()
    };
    assert_eq!(commands(1), commands(1));
    assert_ne!(commands(1), commands(2));
}

#[test]
fn sequences_reach_successes_of_many_commands() -> anyhow::Result<()> {
    let mut succeeded = std::collections::BTreeSet::new();
    for number in 0..60 {
        let (mut dice, mut model, mut device) =
            (Dice::new(number), Model::default(), InProcess::new()?);
        device.execute(&[0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x44, 0, 0])?;
        for _ in 0..60 {
            let step = draw(&model, &mut dice);
            let [command, _] = &step.commands;
            let response = device.execute(command)?;
            if Response::parse(&response).is_some_and(|response| response.code == 0) {
                succeeded.insert(command[6..10].to_vec());
                if let Some(learn) = step.learn {
                    learn(&mut model, [&response, &response]);
                }
            }
        }
    }
    assert!(succeeded.len() >= 50, "only {} commands succeed", succeeded.len());
    Ok(())
}
