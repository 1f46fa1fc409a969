/// Distances between all pairs of some points.
#[derive(Debug, Clone)]
pub(super) struct Distances {
    rows: usize,
    /// `[rows, rows]`
    between: Vec<f32>,
}

impl Distances {
    pub(super) fn new(points: &[&[f64]]) -> Self {
        let rows = points.len();
        let mut between = vec![0.0_f32; rows * rows];
        for (a, from) in points.iter().enumerate() {
            for (b, to) in points.iter().enumerate().skip(a + 1) {
                let square: f64 = from.iter().zip(*to).map(|(x, y)| (x - y) * (x - y)).sum();
                let distance = square.sqrt() as f32;
                between[a * rows + b] = distance;
                between[b * rows + a] = distance;
            }
        }
        Self { rows, between }
    }

    /// Mean silhouette of a grouping of the points into `groups`: 1 for groups that lie far apart, 0 for none, less for wrong ones.
    /// A point alone in its group counts as 0.
    /// # Source
    /// Rousseeuw, "Silhouettes: a graphical aid to the interpretation and validation of cluster analysis" (1987).
    pub(super) fn silhouette(&self, groups: usize, of_row: &[usize]) -> f64 {
        let mut sizes = vec![0_usize; groups];
        of_row.iter().for_each(|group| sizes[*group] += 1);
        let mut sum = 0.0;
        for row in 0..self.rows {
            let own = of_row[row];
            if sizes[own] < 2 {
                continue;
            }
            let mut sums = vec![0.0_f64; groups];
            let distances = &self.between[row * self.rows..(row + 1) * self.rows];
            distances.iter().zip(of_row).for_each(|(distance, group)| sums[*group] += f64::from(*distance));
            let inside = sums[own] / (sizes[own] - 1) as f64;
            let others = (0..groups).filter(|group| *group != own && sizes[*group] > 0).map(|group| sums[group] / sizes[group] as f64);
            let Some(nearest) = others.min_by(f64::total_cmp) else { continue };
            let larger = inside.max(nearest);
            sum += if larger > 0.0 { (nearest - inside) / larger } else { 0.0 };
        }
        sum / self.rows.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_silhouette_is_that_of_hand_and_prefers_the_right_groups() {
        let points: [&[f64]; 4] = [&[0.0], &[1.0], &[10.0], &[11.0]];
        let distances = Distances::new(&points);
        // Of 0: inside 1, nearest (10 + 11) / 2; of 1: inside 1, nearest (9 + 10) / 2; the others alike.
        let expected = ((10.5 - 1.0) / 10.5 + (9.5 - 1.0) / 9.5) / 2.0;
        assert!((distances.silhouette(2, &[0, 0, 1, 1]) - expected).abs() < 1e-6);
        assert!(distances.silhouette(2, &[0, 1, 0, 1]) < 0.0);
        assert_eq!(distances.silhouette(1, &[0, 0, 0, 0]), 0.0);
    }
}
