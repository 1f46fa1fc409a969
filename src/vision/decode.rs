use std::io::Cursor;

use fast_image_resize::images::Image;
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::{VisionConfig, VisionError};

/// Side of the square that the network sees, in pixels.
pub const CROP_SIDE: u32 = 224;
/// Share of the short side that is kept, from the middle; chosen with the classifier (its card).
const CROP_SHARE: f64 = 0.70;
/// Below this there is nothing to see.
const SIDE_MIN: u32 = 32;

/// The middle of a photo, upright, `[224, 224]` RGB in rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crop {
    /// `224 * 224 * 3` values.
    pub rgb: Vec<u8>,
}

impl Crop {
    /// The same out of focus: Gaussian blur of this many pixels; 0 leaves it as it is.
    pub fn blurred(self, sigma: f32) -> Self {
        match image::RgbImage::from_raw(CROP_SIDE, CROP_SIDE, self.rgb.clone()) {
            Some(picture) if sigma > 0.0 => Self { rgb: image::imageops::blur(&picture, sigma).into_raw() },
            _ => self,
        }
    }
}

/// Decodes JPEG, PNG or WebP within the limits of the config, takes the middle, scales it and turns it upright.
///
/// The square is turned after it was scaled: turning 12 million pixels takes two hundred times longer than turning 224 x 224, and a
/// square in the middle stays in the middle.
pub fn decode(bytes: &[u8], config: &VisionConfig) -> Result<Crop, VisionError> {
    let (picture, orientation) = decode_pixels(bytes, config)?;
    let side = f64::from(picture.width().min(picture.height())) * CROP_SHARE;
    let (left, top) = ((f64::from(picture.width()) - side) / 2.0, (f64::from(picture.height()) - side) / 2.0);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear)).crop(left, top, side, side);
    let picture = DynamicImage::ImageRgb8(picture.into_rgb8());
    let mut square = Image::new(CROP_SIDE, CROP_SIDE, PixelType::U8x3);
    Resizer::new().resize(&picture, &mut square, &options).map_err(|e| VisionError::NotAPicture(e.to_string()))?;
    let square = image::RgbImage::from_raw(CROP_SIDE, CROP_SIDE, square.into_vec())
        .ok_or_else(|| VisionError::NotAPicture("it could not be scaled".to_owned()))?;
    let mut square = DynamicImage::ImageRgb8(square);
    square.apply_orientation(orientation);
    Ok(Crop { rgb: square.into_rgb8().into_raw() })
}

fn decode_pixels(bytes: &[u8], config: &VisionConfig) -> Result<(DynamicImage, Orientation), VisionError> {
    if bytes.is_empty() {
        return Err(VisionError::Empty);
    }
    if bytes.len() as u64 > config.file_bytes_max {
        return Err(VisionError::TooManyBytes { found: bytes.len() as u64, allowed: config.file_bytes_max });
    }
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|e| VisionError::NotAPicture(e.to_string()))?;
    let format = match reader.format() {
        Some(format @ (ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP)) => format,
        Some(other) => return Err(VisionError::NotAPicture(format!("it is {other:?}"))),
        None => return Err(VisionError::NotAPicture("its first bytes belong to no format".to_owned())),
    };
    // The decoder of JPEG fills what is missing with grey and reports success, so the end is looked for here.
    if format == ImageFormat::Jpeg && !jpeg_is_whole(bytes) {
        return Err(VisionError::Truncated);
    }
    let pixels_max = u64::from(config.megapixels_max) * 1_000_000;
    let mut limits = Limits::default();
    // 16 bytes a pixel: 16-bit RGBA and the decoder's own copy.
    limits.max_alloc = Some(pixels_max * 16);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(refusal)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > pixels_max {
        return Err(VisionError::TooManyPixels { width, height, megapixels_max: config.megapixels_max });
    }
    if width.min(height) < SIDE_MIN {
        return Err(VisionError::TooFewPixels { width, height });
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let picture = DynamicImage::from_decoder(decoder).map_err(refusal)?;
    Ok((picture, orientation))
}

/// Whether an end marker (FF D9) follows the last start of a scan (FF DA). An earlier one belongs to the thumbnail in the EXIF block;
/// inside a scan every FF of the data is followed by 00, so neither can be met by chance.
fn jpeg_is_whole(bytes: &[u8]) -> bool {
    let last = |marker: [u8; 2]| bytes.windows(2).rposition(|pair| pair == marker);
    matches!((last([0xff, 0xda]), last([0xff, 0xd9])), (Some(scan), Some(end)) if end > scan)
}

fn refusal(error: ImageError) -> VisionError {
    match error {
        ImageError::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => VisionError::Truncated,
        other => VisionError::NotAPicture(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image::RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, 90]))
            .write_to(&mut bytes, ImageFormat::Png)
            .expect("encodes");
        bytes.into_inner()
    }

    fn complaint(bytes: &[u8]) -> String {
        decode(bytes, &VisionConfig::default()).expect_err("accepted").to_string()
    }

    #[test]
    fn a_photo_of_any_shape_becomes_one_square() {
        for (width, height) in [(288, 288), (400, 33), (32, 900)] {
            let crop = decode(&png(width, height), &VisionConfig::default()).expect("decodes");
            assert_eq!(crop.rgb.len(), 224 * 224 * 3);
        }
    }

    #[test]
    fn what_is_no_photo_is_refused_with_a_reason() {
        assert!(complaint(b"").contains("empty"));
        assert!(complaint(b"hello").contains("no JPEG, PNG or WebP"));
        assert!(complaint(b"GIF89a\x01\x00\x01\x00").contains("no JPEG, PNG or WebP"));
        assert!(complaint(&png(8, 8)).contains("at least 32x32"));
        let whole = png(300, 300);
        assert!(decode(&whole[..whole.len() / 2], &VisionConfig::default()).is_err());
    }

    #[test]
    fn limits_are_the_configs() {
        let small = VisionConfig { megapixels_max: 1, file_bytes_max: 1 << 20, ..VisionConfig::default() };
        let many_pixels = decode(&png(1200, 1200), &small).expect_err("accepted").to_string();
        assert!(many_pixels.contains("1200x1200 pixels, at most 1 million"), "{many_pixels}");
        let few_bytes = VisionConfig { file_bytes_max: 100, ..small };
        assert!(matches!(decode(&png(300, 300), &few_bytes), Err(VisionError::TooManyBytes { .. })));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), jpeg in any::<bool>()) {
            let head: &[u8] = if jpeg { &[0xff, 0xd8, 0xff, 0xe0] } else { b"\x89PNG\r\n\x1a\n" };
            let _ = decode(&[head, &bytes[..]].concat(), &VisionConfig::default());
        }
    }
}
