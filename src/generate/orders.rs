//! An order and its whole life, drawn when it is placed: later events carry what they need with them, so
//! that no order is remembered.

use super::agenda::{Act, Agenda};
use super::catalogue::Catalogue;
use super::customers::Customers;
use super::pen::{DAY, HOUR, MINUTE, Millis, Pen};
use super::random::Random;
use super::stores::Stores;
use super::summary::{Summary, Totals};

/// A line gets another quantity.
#[derive(Clone)]
pub struct Amendment {
    order: u64,
    line_no: u64,
    old: Line,
    new: Line,
}

/// An order is cancelled, or lines of it come back: line and quantity.
#[derive(Clone)]
pub struct Reversal {
    order: u64,
    lines: Vec<(u64, u64)>,
    taken: Totals,
}

#[derive(Clone, Copy)]
struct Line {
    product: u32,
    quantity: u64,
    price_cents: u64,
    discount_cents: u64,
}

impl Line {
    fn totals(&self) -> Totals {
        Totals {
            rows: 1,
            quantity: self.quantity as i64,
            gross_cents: (self.quantity * self.price_cents) as i64,
            discount_cents: self.discount_cents as i64,
        }
    }

    /// The same line with another quantity, and as much discount a piece as it had.
    fn with_quantity(mut self, quantity: u64) -> Self {
        self.discount_cents = rounded(self.discount_cents * quantity, self.quantity);
        self.quantity = quantity;
        self
    }

    /// A part of the line that comes back. Its discount must not end in half a cent, which two honest programs
    /// may round differently: then the whole line comes back.
    fn part(self, quantity: u64) -> Self {
        let half_a_cent = self.discount_cents * quantity * 2 % (self.quantity * 2) == self.quantity;
        if half_a_cent { self } else { self.with_quantity(quantity) }
    }
}

fn rounded(dividend: u64, divisor: u64) -> u64 {
    (dividend * 2 + divisor) / (divisor * 2)
}

/// Who sells to whom.
pub struct Market<'a> {
    pub catalogue: &'a Catalogue,
    pub stores: &'a Stores,
    pub customers: &'a mut Customers,
    pub random: &'a mut Random,
    pub agenda: &'a mut Agenda,
    pub summary: &'a mut Summary,
}

impl Market<'_> {
    /// Somebody places an order: by themselves in a store, or from afar, to be shipped.
    pub fn place(&mut self, order: u64, time: Millis, pen: &mut Pen) {
        let store = self.stores.visit(self.random);
        let channel =
            self.random.pick(&["store", "store", "store", "web", "web", "web", "web", "app", "app", "phone"]);
        let from_afar = channel != "store";
        let guest = self.random.per_mille(if from_afar { 50 } else { 250 });

        pen.begin("OrderPlaced");
        write_order(order, pen);
        if guest {
            pen.null("customer_id");
        } else {
            let customer = self.customer(time);
            pen.id("customer_id", "C", u64::from(customer) + 1_000_001);
        }
        pen.id("store_id", "S", u64::from(store) + 101).text("channel", channel).text("currency", "EUR");
        let lines = self.lines();
        pen.open_list("lines");
        for (line, line_no) in lines.iter().zip(1..) {
            pen.open_item().number("line_no", line_no);
            pen.id("product_id", "P", u64::from(line.product) + 10_001).number("quantity", line.quantity);
            pen.money("unit_price", line.price_cents).money("discount", line.discount_cents).close_item();
        }
        pen.close_list().end();

        self.count(&lines, store, guest);
        self.draw_life(order, lines, time, from_afar);
    }

    /// Mostly one who is registered; a few order first and register within two days.
    fn customer(&mut self, time: Millis) -> u32 {
        if !self.random.per_mille(4) {
            return self.customers.buy(self.random);
        }
        let customer = self.customers.meet(self.random);
        let delay = self.random.between(1, 2 * u64::from(DAY));
        self.agenda.after(time, delay, Act::RegisterBuyer(customer));
        customer
    }

    fn lines(&mut self) -> Vec<Line> {
        let count = match self.random.below(100) {
            0..34 => 1,
            34..62 => 2,
            62..79 => 3,
            79..89 => 4,
            89..94 => 5,
            94..97 => 6,
            97 => 7,
            _ => self.random.between(8, 20),
        };
        (0..count).map(|_| self.line()).collect()
    }

    fn line(&mut self) -> Line {
        let product = self.catalogue.buy(self.random);
        let quantity = match self.random.below(100) {
            0..70 => 1,
            70..85 => 2,
            85..93 => 3,
            93..98 => self.random.between(4, 8),
            _ => self.random.between(10, 48),
        };
        let list_cents = self.catalogue.price_cents(product);
        // Some lines have a special price, and one in a thousand is a gift.
        let price_cents = match self.random.below(1000) {
            0 => 0,
            1..50 => list_cents * 9 / 10,
            _ => list_cents,
        };
        let percent = if self.random.per_mille(150) { self.random.pick(&[5, 10, 10, 15, 20]) } else { 0 };
        let discount_cents = rounded(quantity * price_cents * percent, 100);
        Line { product, quantity, price_cents, discount_cents }
    }

    fn count(&mut self, lines: &[Line], store: u32, guest: bool) {
        for line in lines {
            let totals = line.totals();
            let department = format!("D{}", self.catalogue.department(line.product) + 1);
            self.summary.ledger.placed.add(totals);
            self.summary.placed_by_department.entry(department).or_default().add(totals);
            self.summary.placed_by_country.entry(self.stores.country(store)).or_default().add(totals);
            if guest {
                self.summary.placed_by_guests.add(totals);
            }
            let list_cents = self.catalogue.price_cents(line.product);
            self.summary.placed_at_list_price_cents += (line.quantity * list_cents) as i64;
        }
    }

    /// Amended within five hours, cancelled within a day, or else shipped, delivered and perhaps returned.
    fn draw_life(&mut self, order: u64, mut lines: Vec<Line>, time: Millis, from_afar: bool) {
        let mut delay = 0;
        if from_afar {
            self.draw_amendment(order, &mut lines, time);
            if self.random.per_mille(30) {
                return self.draw_cancellation(order, &lines, time);
            }
            delay = self.random.between(6 * u64::from(HOUR), 60 * u64::from(HOUR));
            self.agenda.after(time, delay, Act::ShipOrder(order));
            delay += self.random.between(18 * u64::from(HOUR), 5 * u64::from(DAY));
            self.agenda.after(time, delay, Act::DeliverOrder(order));
        }
        if self.random.per_mille(if from_afar { 70 } else { 30 }) {
            delay += self.random.between(u64::from(HOUR), 30 * u64::from(DAY));
            self.draw_return(order, &lines, time, delay);
        }
    }

    fn draw_amendment(&mut self, order: u64, lines: &mut [Line], time: Millis) {
        if !self.random.per_mille(25) {
            return;
        }
        let index = self.random.index(lines.len());
        let old = lines[index];
        let new = old.with_quantity(if old.quantity > 1 && self.random.per_mille(500) {
            self.random.between(1, old.quantity - 1)
        } else {
            old.quantity + self.random.between(1, 3)
        });
        lines[index] = new;
        let delay = self.random.between(5 * u64::from(MINUTE), 5 * u64::from(HOUR));
        let amendment = Amendment { order, line_no: index as u64 + 1, old, new };
        self.agenda.after(time, delay, Act::AmendOrder(Box::new(amendment)));
    }

    fn draw_cancellation(&mut self, order: u64, lines: &[Line], time: Millis) {
        let mut taken = Totals::default();
        for line in lines {
            taken.add(line.totals());
        }
        let delay = self.random.between(5 * u64::from(HOUR) + 1, u64::from(DAY));
        let reversal = Reversal { order, lines: Vec::new(), taken };
        self.agenda.after(time, delay, Act::CancelOrder(Box::new(reversal)));
    }

    fn draw_return(&mut self, order: u64, lines: &[Line], time: Millis, delay: u64) {
        let mut reversal = Reversal { order, lines: Vec::new(), taken: Totals::default() };
        let certain = self.random.index(lines.len());
        for (index, line) in lines.iter().enumerate() {
            if index == certain || self.random.per_mille(300) {
                let part = line.part(self.random.between(1, line.quantity));
                reversal.lines.push((index as u64 + 1, part.quantity));
                reversal.taken.add(part.totals());
            }
        }
        self.agenda.after(time, delay, Act::ReturnOrder(Box::new(reversal)));
    }
}

pub fn amend(amendment: &Amendment, summary: &mut Summary, pen: &mut Pen) {
    let Amendment { order, line_no, old, new } = amendment;
    pen.begin("OrderLineQuantityChanged");
    write_order(*order, pen);
    pen.number("line_no", *line_no)
        .number("quantity", new.quantity)
        .money("discount", new.discount_cents)
        .end();
    summary.ledger.amended.add(old.totals().reversed());
    summary.ledger.amended.add(new.totals());
}

pub fn ship(order: u64, random: &mut Random, pen: &mut Pen) {
    pen.begin("OrderShipped");
    write_order(order, pen);
    pen.text("carrier", random.pick(&["DHL", "DPD", "UPS", "Post"])).end();
}

pub fn deliver(order: u64, pen: &mut Pen) {
    pen.begin("OrderDelivered");
    write_order(order, pen);
    pen.end();
}

pub fn cancel(reversal: &Reversal, random: &mut Random, summary: &mut Summary, pen: &mut Pen) {
    pen.begin("OrderCancelled");
    write_order(reversal.order, pen);
    pen.text("reason", random.pick(&["changed mind", "too slow", "payment failed"])).end();
    summary.ledger.cancelled.add(reversal.taken.reversed());
}

pub fn give_back(reversal: &Reversal, random: &mut Random, summary: &mut Summary, pen: &mut Pen) {
    pen.begin("OrderReturned");
    write_order(reversal.order, pen);
    pen.text("reason", random.pick(&["damaged", "wrong size", "not as shown", "unwanted"]))
        .open_list("lines");
    for (line_no, quantity) in &reversal.lines {
        pen.open_item().number("line_no", *line_no).number("quantity", *quantity).close_item();
    }
    pen.close_list().end();
    summary.ledger.returned.add(reversal.taken.reversed());
}

fn write_order(order: u64, pen: &mut Pen) {
    pen.id("order_id", "O", 10_000_001 + order);
}
