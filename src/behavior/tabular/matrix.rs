//! Products of small matrices, in the three forms that a layer and its gradient need.

/// `out [rows, columns] = factor * out + left [rows, inner] * right [inner, columns]`; all row-major.
pub(super) fn multiply(left: &[f32], right: &[f32], inner: usize, factor: f32, out: &mut [f32]) {
    let (rows, columns) = (left.len() / inner, right.len() / inner);
    strided([rows, inner, columns], (left, inner, 1), (right, columns, 1), factor, out);
}

/// `out [rows, columns] = left^T * right`, where `left` is `[inner, rows]` and `right` is `[inner, columns]`.
pub(super) fn multiply_left_transposed(left: &[f32], right: &[f32], inner: usize, out: &mut [f32]) {
    let (rows, columns) = (left.len() / inner, right.len() / inner);
    strided([rows, inner, columns], (left, 1, rows), (right, columns, 1), 0.0, out);
}

/// `out [rows, columns] = left * right^T`, where `left` is `[rows, inner]` and `right` is `[columns, inner]`.
pub(super) fn multiply_right_transposed(left: &[f32], right: &[f32], inner: usize, out: &mut [f32]) {
    let (rows, columns) = (left.len() / inner, right.len() / inner);
    strided([rows, inner, columns], (left, inner, 1), (right, 1, inner), 0.0, out);
}

/// A matrix and the steps from row to row and from column to column.
type Strided<'a> = (&'a [f32], usize, usize);

fn strided([rows, inner, columns]: [usize; 3], left: Strided<'_>, right: Strided<'_>, factor: f32, out: &mut [f32]) {
    assert!(left.0.len() == rows * inner && right.0.len() == inner * columns && out.len() == rows * columns);
    let step = |by: usize| by as isize;
    // SAFETY: the lengths are checked above, and the steps are those of full matrices of these sizes, so that the last element that is
    // touched is the last of its slice. `out` is borrowed mutably and overlaps nothing.
    unsafe {
        matrixmultiply::sgemm(
            rows,
            inner,
            columns,
            1.0,
            left.0.as_ptr(),
            step(left.1),
            step(left.2),
            right.0.as_ptr(),
            step(right.1),
            step(right.2),
            factor,
            out.as_mut_ptr(),
            step(columns),
            1,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_products_agree_with_sums_by_hand() {
        // [1 2; 3 4; 5 6] times [1 0 2; 0 1 3].
        let (left, right) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.0, 0.0, 2.0, 0.0, 1.0, 3.0]);
        let expected = [1.0, 2.0, 8.0, 3.0, 4.0, 18.0, 5.0, 6.0, 28.0];
        let mut out = [0.0; 9];
        multiply(&left, &right, 2, 0.0, &mut out);
        assert_eq!(out, expected);
        multiply_left_transposed(&[1.0, 3.0, 5.0, 2.0, 4.0, 6.0], &right, 2, &mut out);
        assert_eq!(out, expected);
        multiply_right_transposed(&left, &[1.0, 0.0, 0.0, 1.0, 2.0, 3.0], 2, &mut out);
        assert_eq!(out, expected);
    }
}
