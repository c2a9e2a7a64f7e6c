//! How long the operations take that a TPM's latency consists of: medians in
//! microseconds, one column per provider.
//!
//! `cargo run --release -p tpm-crypto --features fast,tables --example latency`

use std::time::Instant;

use tpm_crypto::{
    drbg::HmacDrbg,
    ecc::{Curve, Scalar},
    hash::HashAlgorithm,
    portable::Portable,
    provider::Provider,
    random::RandomStream,
    rsa::{self, RsaSize},
};

fn main() -> Result<(), Box<dyn core::error::Error>> {
    let providers = providers();
    print!("{:<24}", "median in µs");
    for provider in &providers {
        print!("{:>12}", provider.name());
    }
    println!();

    let mut stream = HmacDrbg::new(HashAlgorithm::Sha256, &[b"latency"]);
    for curve in Curve::ALL {
        let key = Scalar::draw(curve, &mut stream)?;
        let peer = providers[0].public_key(&Scalar::draw(curve, &mut stream)?)?;
        let public = providers[0].public_key(&key)?;
        let digest = [7; 32];
        let hash = HashAlgorithm::Sha256;
        let signature = providers[0].sign_ecdsa(&key, hash, &digest)?;
        row(&format!("{curve:?} new key"), &providers, 100, |provider| {
            let _ = provider.public_key(&Scalar::draw(curve, &mut stream)?)?;
            Ok(())
        })?;
        row(&format!("{curve:?} sign"), &providers, 100, |provider| {
            let _ = provider.sign_ecdsa(&key, hash, &digest)?;
            Ok(())
        })?;
        row(&format!("{curve:?} verify"), &providers, 100, |provider| {
            Ok(provider.verify_ecdsa(&public, &digest, &signature)?)
        })?;
        row(&format!("{curve:?} shared secret"), &providers, 100, |provider| {
            let _ = provider.multiply(&key, &peer)?;
            Ok(())
        })?;
    }
    for size in [RsaSize::Rsa2048, RsaSize::Rsa3072, RsaSize::Rsa4096] {
        let key = rsa::generate(size, 65537, &mut stream)?;
        let bits = size.bits();
        row(&format!("RSA {bits} private"), &providers, 40, |provider| {
            let _ = provider.private_operation(&key, &[9; 200], &mut stream)?;
            Ok(())
        })?;
        row(&format!("RSA {bits} public"), &providers, 100, |provider| {
            let _ = provider.public_operation(key.public(), &[9; 200])?;
            Ok(())
        })?;
        row(&format!("RSA {bits} load"), &providers, 40, |_| {
            let _ = rsa::RsaPrivateKey::from_prime(key.public().clone(), key.prime().as_bytes())?;
            Ok(())
        })?;
    }
    // Generation is the same with every provider.
    row("RSA 2048 new key", &providers[..1], 100, |_| {
        let _ = rsa::generate(RsaSize::Rsa2048, 65537, &mut stream)?;
        Ok(())
    })?;
    let mut random = [0; 32];
    row("32 random bytes", &providers[..1], 1000, |_| Ok(stream.fill(&mut random)?))
}

#[cfg(not(feature = "fast"))]
fn providers() -> Vec<Box<dyn Provider>> {
    vec![Box::new(Portable)]
}

#[cfg(feature = "fast")]
fn providers() -> Vec<Box<dyn Provider>> {
    let mut providers: Vec<Box<dyn Provider>> = vec![Box::new(Portable)];
    match tpm_crypto::fast::Fast::new() {
        Some(fast) => providers.push(Box::new(fast)),
        None => eprintln!("this processor cannot run the fast provider"),
    }
    providers
}

/// Prints the median of `runs` runs with each provider.
fn row(
    what: &str,
    providers: &[Box<dyn Provider>],
    runs: usize,
    mut run: impl FnMut(&dyn Provider) -> Result<(), Box<dyn core::error::Error>>,
) -> Result<(), Box<dyn core::error::Error>> {
    print!("{what:<24}");
    for provider in providers {
        let mut times = Vec::with_capacity(runs);
        for _ in 0..runs {
            let start = Instant::now();
            run(&**provider)?;
            times.push(start.elapsed());
        }
        times.sort();
        let median = times.get(runs / 2).copied().unwrap_or_default();
        print!("{:>12.1}", median.as_secs_f64() * 1e6);
    }
    println!();
    Ok(())
}
