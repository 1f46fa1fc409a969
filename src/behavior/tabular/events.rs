//! Curves for TensorBoard: an event file, as its own writer makes it.

use super::fit::Epoch;

/// The bytes of an event file with the curves of a training: loss, loss on held-out rows, rate.
///
/// `unix_s` is the time of the first pass; TensorBoard wants one and shows it. Passes count as seconds, as they are not timed.
/// # Source
/// TensorFlow's `record_writer.h` (length, its checksum, data, its checksum) and `event.proto`, `summary.proto`.
pub fn event_file(epochs: &[Epoch], unix_s: f64) -> Vec<u8> {
    let mut file = Vec::new();
    let mut first = Vec::new();
    double(&mut first, 1, unix_s);
    bytes(&mut first, 3, b"brain.Event:2");
    record(&mut file, &first);
    for epoch in epochs {
        let curves = [("loss/train", Some(epoch.loss)), ("loss/held_out", epoch.held_out_loss), ("rate", Some(f64::from(epoch.rate)))];
        let mut summary = Vec::new();
        for (tag, value) in curves.into_iter().filter_map(|(tag, value)| Some((tag, value?))) {
            let mut point = Vec::new();
            bytes(&mut point, 1, tag.as_bytes());
            float(&mut point, 2, value as f32);
            bytes(&mut summary, 1, &point);
        }
        let mut event = Vec::new();
        double(&mut event, 1, unix_s + epoch.epoch as f64);
        key(&mut event, 2, 0);
        varint(&mut event, epoch.epoch as u64);
        bytes(&mut event, 5, &summary);
        record(&mut file, &event);
    }
    file
}

fn record(file: &mut Vec<u8>, data: &[u8]) {
    let length = (data.len() as u64).to_le_bytes();
    file.extend(length);
    file.extend(masked(crc32c(&length)).to_le_bytes());
    file.extend(data);
    file.extend(masked(crc32c(data)).to_le_bytes());
}

/// Checksums are turned round and shifted, as the checksum of something that holds its own checksum says nothing.
fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Castagnoli's CRC, bit by bit: an event file is a few kilobytes.
fn crc32c(data: &[u8]) -> u32 {
    let turn =
        |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 });
    !data.iter().fold(!0, turn)
}

// Protocol buffers: a key of field and wire type, then a value.

fn key(out: &mut Vec<u8>, field: u64, wire: u64) {
    varint(out, field << 3 | wire);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn double(out: &mut Vec<u8>, field: u64, value: f64) {
    key(out, field, 1);
    out.extend(value.to_le_bytes());
}

fn float(out: &mut Vec<u8>, field: u64, value: f32) {
    key(out, field, 5);
    out.extend(value.to_le_bytes());
}

fn bytes(out: &mut Vec<u8>, field: u64, value: &[u8]) {
    key(out, field, 2);
    varint(out, value.len() as u64);
    out.extend(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_castagnolis() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn a_file_begins_as_tensorboard_expects_and_has_a_record_for_each_pass() {
        let epoch = |epoch| Epoch { epoch, loss: 0.5, held_out_loss: Some(0.25), rate: 1.0 };
        let file = event_file(&[epoch(1), epoch(2)], 1_800_000_000.0);
        let mut lengths = Vec::new();
        let mut at = 0;
        while let Some(length) = file.get(at..at + 8) {
            let length = u64::from_le_bytes(length.try_into().unwrap()) as usize;
            lengths.push(length);
            at += 8 + 4 + length + 4;
        }
        assert_eq!((lengths.len(), at), (3, file.len()));
        assert!(file[12..12 + lengths[0]].ends_with(b"brain.Event:2"));
        assert!(file.windows(13).any(|part| part == b"loss/held_out"));
    }
}
