use std::ops::RangeInclusive;

use cpal::traits::{DeviceTrait, HostTrait};

use super::AudioError;

/// Devices that ALSA lists but that are no microphones: `null` gives silence as fast as it is asked for, the others are converters and
/// ways to services that would be asked, noisily, whether they run.
const NO_MICROPHONES: [&str; 10] = [
    "alsa:null",
    "alsa:jack",
    "alsa:lavrate",
    "alsa:oss",
    "alsa:samplerate",
    "alsa:speex",
    "alsa:speexrate",
    "alsa:upmix",
    "alsa:usbstream",
    "alsa:vdownmix",
];

/// A microphone of this machine.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceInfo {
    /// What [`super::Microphone::open`] finds it by, such as `alsa:hw:CARD=0,DEV=0`; stays the same when it is plugged in again.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// It is what is used where no device is named.
    pub is_default: bool,
    /// What it can do, or why it cannot be used now.
    pub abilities: Result<DeviceAbilities, String>,
}

/// The formats a microphone offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceAbilities {
    /// Samples a second.
    pub rates_hz: RangeInclusive<u32>,
    /// Channels.
    pub channels: RangeInclusive<u16>,
}

/// Lists the microphones, the default one first. Each is opened for a moment to see what it can do.
///
/// # Errors
/// [`AudioError::Devices`] where the system's sound service does not answer. No microphone is an empty list.
pub fn devices() -> Result<Vec<DeviceInfo>, AudioError> {
    let _quiet = QuietAlsa::new();
    let host = cpal::default_host();
    let default = host.default_input_device();
    let default_id = default.as_ref().and_then(id);
    let listed = host.devices().map_err(|error| AudioError::Devices { reason: error.to_string() })?;
    let others = listed.filter(|device| id(device) != default_id && is_microphone(device));
    // ALSA names a default device even where there is no sound card: it counts if it can be opened.
    let usable_default = default.into_iter().filter(|device| device.default_input_config().is_ok());
    Ok(usable_default.chain(others).filter_map(|device| describe(&device, default_id.as_deref())).collect())
}

/// The device with this id or name, or the system's default one.
///
/// # Errors
/// A sentence that names what there is instead.
pub(super) fn find(host: &cpal::Host, wanted: Option<&str>) -> Result<cpal::Device, String> {
    let Some(wanted) = wanted else {
        return host.default_input_device().ok_or_else(|| "the system has no default microphone".to_owned());
    };
    let listed: Vec<_> = host.devices().map_err(|error| error.to_string())?.collect();
    let is_wanted =
        |device: &cpal::Device| id(device).is_some_and(|id| id == wanted || id == format!("alsa:{wanted}")) || device.to_string() == wanted;
    match listed.iter().find(|device| is_wanted(device)) {
        Some(device) => Ok(device.clone()),
        None => {
            let names: Vec<_> = listed.iter().filter(|device| is_microphone(device)).filter_map(id).collect();
            Err(format!("there is no device {wanted:?}; found {}", if names.is_empty() { "none".to_owned() } else { names.join(", ") }))
        }
    }
}

fn describe(device: &cpal::Device, default_id: Option<&str>) -> Option<DeviceInfo> {
    let id = id(device)?;
    let is_default = default_id == Some(&id);
    Some(DeviceInfo { name: device.to_string(), is_default, abilities: abilities(device), id })
}

fn is_microphone(device: &cpal::Device) -> bool {
    device.supports_input() && id(device).is_some_and(|id| !NO_MICROPHONES.contains(&id.as_str()))
}

fn id(device: &cpal::Device) -> Option<String> {
    device.id().ok().map(|id| id.to_string())
}

fn abilities(device: &cpal::Device) -> Result<DeviceAbilities, String> {
    let configs: Vec<_> = device.supported_input_configs().map_err(|error| error.to_string())?.collect();
    let rates =
        configs.iter().map(|config| config.min_sample_rate()).min().zip(configs.iter().map(|config| config.max_sample_rate()).max());
    let channels = configs.iter().map(|config| config.channels()).min().zip(configs.iter().map(|config| config.channels()).max());
    let (Some((slowest, fastest)), Some((fewest, most))) = (rates, channels) else {
        return Err("it offers no format to record in".to_owned());
    };
    Ok(DeviceAbilities { rates_hz: slowest..=fastest, channels: fewest..=most })
}

/// Keeps alsa-lib from writing to the terminal what our own sentences say better. Holds for the thread that made it, and from then on.
pub(super) struct QuietAlsa {
    #[cfg(target_os = "linux")]
    _messages: Option<std::rc::Rc<std::cell::RefCell<alsa::Output>>>,
}

impl QuietAlsa {
    pub(super) fn new() -> Self {
        Self {
            // Without memory for a buffer the messages appear, which does no harm.
            #[cfg(target_os = "linux")]
            _messages: alsa::Output::local_error_handler().ok(),
        }
    }
}
