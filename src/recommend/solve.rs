/// The lower triangle `L` of `L Lᵀ = A`, rows one after the other.
///
/// # Source
/// Golub & Van Loan, "Matrix Computations" (4th edition), section 4.2.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Triangle {
    lower: Vec<f64>,
    size: usize,
}

impl Triangle {
    /// Of a symmetric matrix `[size, size]`; `None` where it is not positive definite or holds what is no number.
    pub(super) fn of(matrix: &[f64], size: usize) -> Option<Self> {
        let mut lower = vec![0.0; size * size];
        for row in 0..size {
            for column in 0..=row {
                let known: f64 = (0..column).map(|k| lower[row * size + k] * lower[column * size + k]).sum();
                let left = matrix[row * size + column] - known;
                lower[row * size + column] = if row == column { left.sqrt() } else { left / lower[column * size + column] };
            }
            let pivot = lower[row * size + row];
            if !(pivot.is_finite() && pivot > 0.0) {
                return None;
            }
        }
        Some(Self { lower, size })
    }

    /// `x` of `A x = b`.
    pub(super) fn solve(&self, b: &[f64]) -> Vec<f64> {
        let mut forward = b.to_vec();
        for row in 0..self.size {
            let known: f64 = (0..row).map(|k| self.lower[row * self.size + k] * forward[k]).sum();
            forward[row] = (forward[row] - known) / self.lower[row * self.size + row];
        }
        self.solve_transposed(&forward)
    }

    /// `x` of `Lᵀ x = b`: of independent standard normal `b` it makes a normal vector of covariance `A⁻¹`.
    pub(super) fn solve_transposed(&self, b: &[f64]) -> Vec<f64> {
        let mut x = b.to_vec();
        for row in (0..self.size).rev() {
            let known: f64 = (row + 1..self.size).map(|k| self.lower[k * self.size + row] * x[k]).sum();
            x[row] = (x[row] - known) / self.lower[row * self.size + row];
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_worked_out_by_hand_is_solved() {
        // 4x + 2y = 10, 2x + 3y = 9: x = 1.5, y = 2.
        let triangle = Triangle::of(&[4.0, 2.0, 2.0, 3.0], 2).expect("positive definite");
        let x = triangle.solve(&[10.0, 9.0]);
        assert!((x[0] - 1.5).abs() < 1e-12 && (x[1] - 2.0).abs() < 1e-12, "{x:?}");
    }

    #[test]
    fn what_is_not_positive_definite_is_refused() {
        for bad in [[1.0, 2.0, 2.0, 1.0], [0.0, 0.0, 0.0, 0.0], [f64::NAN, 0.0, 0.0, 1.0]] {
            assert_eq!(Triangle::of(&bad, 2), None);
        }
    }
}
