//! Tests of guest kernels in the cache and in packages.

use std::path::Path;

use anyhow::Result;

use super::{IMAGE, KernelFiles, LINUX_6_1, LINUX_7, MODULES, ORDER, VERSION};
use super::{find_image, is_of_series, is_part_of_kernel};
use crate::setup::machine::fake;
use crate::setup::step::Step;

fn write(folder: &Path, file: &str) -> Result<()> {
    let path = folder.join(file);
    std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
    Ok(std::fs::write(path, file)?)
}

#[test]
fn only_the_whole_is_found() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let machine = fake::debian(folder.path());
    let place = LINUX_7.place(&machine);
    assert!(place.ends_with("guest/linux-7"));
    for file in [IMAGE, VERSION, "modules/vsock.ko"] {
        write(&place, file)?;
    }
    assert_eq!(LINUX_7.find(&machine)?, None, "without an order");
    let wanted = LINUX_7.modules.iter().map(|name| format!("{name}.ko"));
    let mut order = vec!["vsock.ko".to_owned()];
    order.extend(wanted.clone());
    std::fs::write(place.join(ORDER), order.join("\n"))?;
    assert_eq!(LINUX_7.find(&machine)?, None, "without a module's file");
    for name in wanted {
        write(&place.join(MODULES), &name)?;
    }
    assert_eq!(LINUX_7.find(&machine)?.map(|found| found.path), Some(place.clone()));
    let files = KernelFiles::in_folder(&place)?;
    assert_eq!(files.image, place.join("bzImage"));
    let modules: Vec<_> = order.iter().map(|name| place.join("modules").join(name)).collect();
    assert_eq!(files.modules, modules);
    order.pop();
    std::fs::write(place.join(ORDER), order.join("\n"))?;
    assert_eq!(LINUX_7.find(&machine)?, None, "without a module that is wanted");
    Ok(())
}

#[test]
fn without_apt_the_remedy_names_command_and_place() {
    let machine = fake::fedora(Path::new("/cache"));
    let remedy = LINUX_6_1.ways(&machine).err().map(|remedy| remedy.0).unwrap_or_default();
    assert!(remedy.contains("cargo svsm setup linux-6.1"), "{remedy}");
    assert!(remedy.contains("/cache/guest/linux-6.1"), "{remedy}");
}

#[test]
fn the_image_is_found_where_old_and_new_packages_have_it() -> Result<()> {
    for (file, release) in [
        (
            "linux-image-6.1.0-50-cloud-amd64/boot/vmlinuz-6.1.0-50-cloud-amd64",
            "6.1.0-50-cloud-amd64",
        ),
        (
            "linux-binary-7/usr/lib/modules/7.2.12+deb14-cloud-amd64/vmlinuz",
            "7.2.12+deb14-cloud-amd64",
        ),
    ] {
        let folder = tempfile::tempdir()?;
        write(folder.path(), "linux-image/boot/config-6.1.0-50-cloud-amd64")?;
        assert!(find_image(folder.path()).is_err());
        write(folder.path(), file)?;
        assert_eq!(find_image(folder.path())?, (folder.path().join(file), release.to_owned()));
        write(folder.path(), "other/boot/vmlinuz-6.2")?;
        let message = find_image(folder.path()).map_err(|error| error.to_string()).unwrap_err();
        assert!(message.contains("2 kernels"), "{message}");
    }
    Ok(())
}

#[test]
fn a_series_is_more_than_a_beginning() {
    assert!(is_of_series("6.1.0-50-cloud-amd64", "6.1"));
    assert!(is_of_series("7.2.12+deb14-cloud-amd64", "7"));
    assert!(!is_of_series("6.12.107+deb13-cloud-amd64", "6.1"));
    assert!(!is_of_series("6.1", "6.1.0"));
}

#[test]
fn packages_of_the_kernel_only() {
    assert!(is_part_of_kernel("linux-modules-7.2.12+deb14-cloud-amd64"));
    assert!(!is_part_of_kernel("linux-base"));
    assert!(!is_part_of_kernel("initramfs-tools"));
}
