use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Manifest, ModelEntry, WeightsError, sha256_of_file};

/// Where the public files live.
const HUB: &str = "https://huggingface.co";
/// A server that says nothing for this long is gone.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// A body that takes longer than this is given up; the next call goes on where it stopped.
const BODY_MAX: Duration = Duration::from_secs(6 * 3600);
/// The largest public Whisper has 3.1 GB; a server that sends more than this does not send a model.
const BYTES_MAX: u64 = 4 << 30;

/// How far a pull has come.
#[derive(Debug, Clone, Copy)]
pub struct PullProgress {
    /// Bytes on disk.
    pub done: u64,
    /// Bytes of the whole file, where the server says so.
    pub total: Option<u64>,
}

/// Fetches the named model from its home on Hugging Face; see [`pull_from`].
pub fn pull(manifest: &Manifest, name: &str, progress: &mut dyn FnMut(PullProgress)) -> Result<PathBuf, WeightsError> {
    pull_from(manifest, name, HUB, progress)
}

/// Fetches the named model from a server laid out as Hugging Face is.
///
/// What arrives is written to `FILE.part`, which a later call continues; only a whole file with the listed checksum gets the name
/// `FILE`. A file that is there and right is not fetched again.
pub fn pull_from(manifest: &Manifest, name: &str, server: &str, progress: &mut dyn FnMut(PullProgress)) -> Result<PathBuf, WeightsError> {
    let entry = manifest.entry(name)?;
    let hub = entry.hub.as_ref().ok_or_else(|| WeightsError::NotPullable {
        name: name.to_owned(),
        instead: format!("it does not come from Hugging Face; `{}` provides it", entry.remedy()),
    })?;
    let path = manifest.path(entry);
    if manifest.verify(name).is_ok() {
        return Ok(path);
    }
    let part = path.with_added_extension("part");
    let io = |source| WeightsError::Io { path: part.clone(), source };
    std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).map_err(io)?;
    let url = format!("{server}/{}/resolve/{}/{}", hub.repository, hub.revision, hub.file);
    download(name, &url, &part, progress)?;
    check(entry, &part)?;
    std::fs::rename(&part, &path).map_err(io)?;
    sync_folder(&path).map_err(io)?;
    Ok(path)
}

fn download(name: &str, url: &str, part: &Path, progress: &mut dyn FnMut(PullProgress)) -> Result<(), WeightsError> {
    let io = |source| WeightsError::Io { path: part.to_owned(), source };
    let offline = |reason: String| WeightsError::Offline { name: name.to_owned(), reason };
    let refused = |reason: String| WeightsError::Refused { name: name.to_owned(), reason };
    let have = std::fs::metadata(part).map_or(0, |m| m.len());
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(SILENCE_MAX))
        .timeout_recv_response(Some(SILENCE_MAX))
        .timeout_recv_body(Some(BODY_MAX))
        .build()
        .into();
    let request = agent.get(url);
    let request = if have > 0 { request.header("range", format!("bytes={have}-")) } else { request };
    let response = request.call().map_err(|e| offline(e.to_string()))?;
    let (mut file, mut done) = match response.status().as_u16() {
        206 => (OpenOptions::new().append(true).open(part).map_err(io)?, have),
        200 => (File::create(part).map_err(io)?, 0),
        // The part is as long as the file already: the checksum decides.
        416 => return Ok(()),
        status => return Err(refused(format!("the server answered {status} for {url}"))),
    };
    let length = response.headers().get("content-length").and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<u64>().ok());
    let total = length.map(|length| done + length);
    let mut body = response.into_body().into_reader();
    let mut buffer = vec![0u8; 1 << 16];
    loop {
        progress(PullProgress { done, total });
        match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => file.write_all(&buffer[..n]).map_err(io)?,
            Err(e) => return Err(offline(e.to_string())),
        }
        done = file.metadata().map_err(io)?.len();
        if done > BYTES_MAX {
            return Err(refused(format!("the server has sent more than {BYTES_MAX} bytes, which is no model; it was stopped")));
        }
    }
    file.sync_all().map_err(io)?;
    match total {
        Some(total) if done < total => Err(offline(format!("the connection ended after {done} of {total} bytes"))),
        _ => Ok(()),
    }
}

/// A wrong file is removed, so that the next call begins anew instead of continuing it.
fn check(entry: &ModelEntry, part: &Path) -> Result<(), WeightsError> {
    let found = sha256_of_file(part)?;
    if found == entry.sha256 {
        return Ok(());
    }
    let _ = std::fs::remove_file(part);
    Err(WeightsError::Refused {
        name: entry.name.clone(),
        reason: format!("what arrived has sha256 {found}, expected {}; it was removed, try again later", entry.sha256),
    })
}

fn sync_folder(path: &Path) -> std::io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}
