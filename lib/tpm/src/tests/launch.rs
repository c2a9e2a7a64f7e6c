//! Hash sequences started by signal: before start-up they go into PCR 0,
//! afterwards into PCR 17.

use alloc::vec::Vec;

use tpm_crypto::hash::HashAlgorithm;

use super::rig::Rig;

const READ: u32 = 0x17E;

fn pcr(rig: &mut Rig, number: u32) -> Vec<u8> {
    let mut select = [0; 3];
    select[number as usize / 8] = 1 << (number % 8);
    let body = [&[0, 0, 0, 1, 0, 0x0B, 3][..], &select].concat();
    let answer = rig.call(READ, &body).expect("it can be read");
    answer[answer.len() - 32..].to_vec()
}

fn sha256(parts: &[&[u8]]) -> Vec<u8> {
    HashAlgorithm::Sha256.digest(parts).as_bytes().to_vec()
}

#[test]
fn a_dynamic_launch_is_measured_into_pcr_17() {
    let mut rig = Rig::started();
    assert_eq!(pcr(&mut rig, 17), [0xFF; 32]);
    rig.device.hash_start();
    rig.device.hash_data(b"laun");
    rig.device.hash_data(b"ch");
    assert_eq!(pcr(&mut rig, 17), [0xFF; 32]);
    rig.device.hash_end();
    assert_eq!(pcr(&mut rig, 17), sha256(&[&[0; 32], &sha256(&[b"launch"])]));
    assert_eq!(pcr(&mut rig, 18), [0; 32]);
    assert_eq!(pcr(&mut rig, 0), [0; 32]);
    assert_eq!(pcr(&mut rig, 23), [0; 32]);
}

#[test]
fn what_is_measured_before_start_up_goes_into_pcr_0_once() {
    let mut rig = Rig::powered();
    rig.device.hash_start();
    rig.device.hash_data(b"root");
    rig.device.hash_end();
    rig.call(0x144, &[0, 0]).expect("it starts");
    let mut first = [0; 32];
    first[31] = 4;
    assert_eq!(pcr(&mut rig, 0), sha256(&[&first, &sha256(&[b"root"])]));
    assert_eq!(pcr(&mut rig, 17), [0xFF; 32]);
    rig.power_cycle();
    rig.call(0x144, &[0, 0]).expect("it starts");
    assert_eq!(pcr(&mut rig, 0), [0; 32]);
}

#[test]
fn without_a_start_there_is_nothing_to_end() {
    let mut rig = Rig::started();
    rig.device.hash_data(b"lost");
    rig.device.hash_end();
    assert_eq!(pcr(&mut rig, 17), [0xFF; 32]);
}
