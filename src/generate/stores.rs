//! Stores that open, move, are renamed, close, and open again.

use super::catalogue::another;
use super::names::PLACES;
use super::pen::Pen;
use super::random::Random;

struct Store {
    place: usize,
    renamed: usize,
    sales_area_m2: u64,
}

/// What stores call themselves, in turn.
const SIGNS: [&str; 3] = ["Kaufhaus", "Markt", "Galerie"];

/// All stores. A store's number is its index, in the order of opening.
#[derive(Default)]
pub struct Stores {
    stores: Vec<Store>,
    /// The place in the list is the size of the trade.
    open: Vec<u32>,
    closed: Vec<u32>,
}

impl Stores {
    pub fn open(&mut self, random: &mut Random, pen: &mut Pen) {
        let store = self.stores.len() as u32;
        let place = random.index(PLACES.len());
        self.stores.push(Store { place, renamed: 0, sales_area_m2: random.between(8, 90) * 50 });
        self.open.push(store);
        self.write_whole("StoreOpened", store, pen);
        pen.today("opened_on").end();
    }

    pub fn rename(&mut self, random: &mut Random, pen: &mut Pen) {
        let store = random.pick(&self.open);
        self.stores[store as usize].renamed += 1;
        pen.begin("StoreRenamed").id("store_id", "S", u64::from(store) + 101);
        self.write_name(store, pen);
        pen.end();
    }

    pub fn relocate(&mut self, random: &mut Random, pen: &mut Pen) {
        let store = random.pick(&self.open);
        let place = another(random, PLACES.len(), self.stores[store as usize].place);
        self.stores[store as usize].place = place;
        pen.begin("StoreMoved").id("store_id", "S", u64::from(store) + 101);
        self.write_place(store, pen);
        pen.end();
    }

    pub fn close(&mut self, random: &mut Random, pen: &mut Pen) {
        if self.open.len() < 2 {
            return;
        }
        let store = self.open.swap_remove(random.index(self.open.len()));
        self.closed.push(store);
        pen.begin("StoreClosed").id("store_id", "S", u64::from(store) + 101).end();
    }

    /// A closed store opens again, often somewhere else. Its first day stays what it was.
    pub fn reopen(&mut self, random: &mut Random, pen: &mut Pen) {
        if self.closed.is_empty() {
            return;
        }
        let store = self.closed.swap_remove(random.index(self.closed.len()));
        self.open.push(store);
        self.stores[store as usize].place = random.index(PLACES.len());
        self.write_whole("StoreReopened", store, pen);
        pen.end();
    }

    /// A store where somebody buys something.
    pub fn visit(&self, random: &mut Random) -> u32 {
        self.open[random.skewed(self.open.len() as u64) as usize]
    }

    /// The country in which a store stands now.
    pub fn country(&self, store: u32) -> &'static str {
        PLACES[self.stores[store as usize].place][2]
    }

    fn write_whole(&self, event_type: &'static str, store: u32, pen: &mut Pen) {
        pen.begin(event_type).id("store_id", "S", u64::from(store) + 101);
        self.write_name(store, pen);
        self.write_place(store, pen);
        pen.number("sales_area_m2", self.stores[store as usize].sales_area_m2);
    }

    /// The name tells the number and not the city, so that only a renaming changes it.
    fn write_name(&self, store: u32, pen: &mut Pen) {
        let sign = SIGNS[(store as usize + self.stores[store as usize].renamed) % SIGNS.len()];
        pen.begin_text("name").raw(sign).raw(" ").digits(u64::from(store) + 1, 1).end_text();
    }

    fn write_place(&self, store: u32, pen: &mut Pen) {
        let [city, state, country] = PLACES[self.stores[store as usize].place];
        pen.text("city", city).text("state", state).text("country", country);
    }
}
