use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{Manifest, WeightsError};

/// A file that had, a moment ago, exactly the content that the manifest names. Only [`Manifest::verify`] makes one.
#[derive(Debug, Clone)]
pub struct VerifiedFile {
    path: PathBuf,
    sha256: String,
}

impl VerifiedFile {
    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its checksum.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
}

impl Manifest {
    /// Compares the file of the named model with its line: there, of the right length, of the right checksum.
    pub fn verify(&self, name: &str) -> Result<VerifiedFile, WeightsError> {
        let entry = self.entry(name)?;
        let (path, remedy) = (self.path(entry), entry.remedy());
        let found = match std::fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => metadata.len(),
            Ok(_) => return Err(WeightsError::Missing { path, remedy }),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Err(WeightsError::Missing { path, remedy }),
            Err(source) => return Err(WeightsError::Io { path, source }),
        };
        // The length is looked at first: it is free, and a file cut short is the usual case.
        if let Some(listed) = entry.bytes.filter(|&listed| listed != found) {
            return Err(WeightsError::WrongSize { path, found, listed, remedy });
        }
        let sha256 = sha256_of_file(&path)?;
        if sha256 != entry.sha256 {
            return Err(WeightsError::WrongChecksum { path, found: sha256, listed: entry.sha256.clone(), remedy });
        }
        Ok(VerifiedFile { path, sha256 })
    }
}

/// SHA-256 of a file, in lower-case hexadecimal.
pub fn sha256_of_file(path: &Path) -> Result<String, WeightsError> {
    let fail = |source| WeightsError::Io { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(fail)?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0u8; 1 << 20]);
    loop {
        match file.read(&mut buffer).map_err(fail)? {
            0 => return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            n => hash.update(&buffer[..n]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(folder: &Path, bytes: u64) -> Manifest {
        // sha256 of "weights".
        let sha = "9c1df12cdd1fddb75d2ddd9c4702a4db4bdaf2e28d8d8d8d8d8d8d8d8d8d8d8d";
        let real = sha256_of_file(&folder.join("good")).unwrap_or_else(|_| sha.to_owned());
        let text = format!(
            "[[model]]\nname = \"m\"\nkind = \"whisper\"\nfile = \"m.bin\"\nbytes = {bytes}\nsha256 = \"{real}\"\nlicence = \"MIT\"\nabout = \"x\"\nsetup = true\n"
        );
        Manifest::parse(folder, &text).expect("manifest")
    }

    #[test]
    fn only_the_very_file_that_is_listed_passes() {
        let folder = tempfile::tempdir().expect("folder");
        std::fs::write(folder.path().join("good"), "weights").expect("write");
        let manifest = manifest(folder.path(), 7);
        let file = folder.path().join("m.bin");
        let complaint = |manifest: &Manifest| manifest.verify("m").expect_err("passed").to_string();

        assert!(complaint(&manifest).contains("is missing; `make setup` provides it"));
        std::fs::write(&file, "weight").expect("write");
        assert!(complaint(&manifest).contains("has 6 bytes, but models/manifest.toml lists 7"));
        std::fs::write(&file, "weightz").expect("write");
        assert!(complaint(&manifest).contains("has sha256"));
        std::fs::write(&file, "weights").expect("write");
        assert_eq!(manifest.verify("m").expect("passes").path(), file);
    }
}
