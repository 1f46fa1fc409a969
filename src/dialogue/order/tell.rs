use minijinja::{Value, context};

use super::Edit;
use crate::domain::{Basket, BasketLine, Catalog, Menu};

/// The order as templates see it. `line` puts one line into words.
pub fn facts<E>(
    edit: &Edit,
    menu: &Menu,
    catalog: &Catalog,
    currency_word: &str,
    line: impl Fn(&Value) -> Result<String, E>,
) -> Result<Value, E> {
    let texts = edit.basket.lines.iter().map(|l| line(&line_facts(l, menu, catalog, currency_word))).collect::<Result<Vec<String>, E>>()?;
    let touched: Vec<String> = edit.touched.iter().filter_map(|&at| texts.get(at).cloned()).collect();
    Ok(context! {
        count => edit.basket.lines.len(),
        things => edit.basket.lines.iter().map(|l| l.quantity).sum::<u32>(),
        touched,
        lines => texts,
        left_out => &edit.left_out,
        total => edit.basket.total().spoken(currency_word),
        prices => prices(&edit.basket, currency_word),
        is_confirmed => edit.basket.is_confirmed,
    })
}

fn prices(basket: &Basket, currency_word: &str) -> Vec<String> {
    let price = |line: &BasketLine| crate::domain::PriceCents(line.each.0.saturating_mul(line.quantity)).spoken(currency_word);
    basket.lines.iter().map(price).collect()
}

fn line_facts(line: &BasketLine, menu: &Menu, catalog: &Catalog, currency_word: &str) -> Value {
    let said = |before: bool| {
        let parts = menu.parts.iter().filter(|part| part.stands_before == before);
        let chosen = parts.filter_map(|part| line.parts.get(&part.name));
        chosen.map(|c| c.amount.iter().chain([&c.value]).cloned().collect::<Vec<_>>().join(" ")).collect::<Vec<String>>()
    };
    let product = catalog.get(&line.product);
    context! {
        quantity => line.quantity,
        name => product.map_or(line.product.as_str(), |p| p.name.as_str()),
        plural => product.map_or(line.product.as_str(), |p| p.plural.as_str()),
        before => said(true),
        after => said(false),
        each => line.each.spoken(currency_word),
    }
}
