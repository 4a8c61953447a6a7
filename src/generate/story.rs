//! Day by day: what happens in the shop, in the order in which it happens.

use super::agenda::{Act, Agenda, Task};
use super::catalogue::Catalogue;
use super::customers::Customers;
use super::days::{Calendar, office_time, order_time};
use super::delivery::Delivery;
use super::orders::{self, Market};
use super::pen::{HOUR, MINUTE, Millis, Pen};
use super::random::Random;
use super::stores::Stores;
use super::{Options, Summary};
use crate::error::Result;
use std::path::Path;

/// When the doors open on the very first day, once everything has been set up.
const OPENING: Millis = 6 * HOUR;
/// When the new price list is loaded, once a week: many events of one instant.
const PRICE_LIST: Millis = 2 * HOUR;

/// Something that members do again and again.
struct Habit {
    act: Act,
    /// How often in the whole log.
    total: u64,
    /// How soon the first time, in percent of the time between two.
    phase: u64,
}

/// The shop, its calendar and its clerk.
pub struct Story<'a> {
    options: &'a Options,
    calendar: Calendar,
    random: Random,
    agenda: Agenda,
    habits: Vec<Habit>,
    price_changes: u64,
    catalogue: Catalogue,
    stores: Stores,
    customers: Customers,
    orders: u64,
    pen: Pen,
    delivery: Delivery<'a>,
    summary: Summary,
}

impl<'a> Story<'a> {
    pub fn new(options: &'a Options, out: &'a Path) -> Result<Self> {
        let calendar = Calendar::new(options);
        let mut story = Self {
            options,
            random: Random::new(options.seed, 1),
            agenda: Agenda::new(options.days),
            habits: Vec::new(),
            price_changes: 0,
            catalogue: Catalogue::default(),
            stores: Stores::default(),
            customers: Customers::default(),
            orders: 0,
            pen: Pen::new(),
            delivery: Delivery::new(options, out),
            summary: Summary::default(),
            calendar,
        };
        story.set_up();
        Ok(story)
    }

    pub fn tell(mut self) -> Result<Summary> {
        for day in 0..self.options.days {
            if day > 0 {
                self.agenda.turn();
            }
            let date = self.calendar.date(day).format("%Y-%m-%d").to_string();
            self.pen.turn_to(&date);
            self.delivery.open(day, &date)?;
            self.plan(day);
            while let Some(task) = self.agenda.next() {
                self.happen(task)?;
            }
            self.delivery.close(&mut self.summary)?;
        }
        Ok(self.summary)
    }

    /// How large the shop is, and what it starts with. Members grow slowly with the number of orders, except
    /// customers, who buy eight times each on average.
    fn set_up(&mut self) {
        let size = self.options.orders.isqrt();
        let products = (size * 2).clamp(200, 20_000);
        let stores = (size / 20).clamp(8, 400);
        let customers = (self.options.orders / 8).max(40);
        let [departments, categories] = Catalogue::first_members();

        self.at_once(departments as u64, 0, 0, &Act::CreateDepartment);
        self.at_once(categories as u64, MINUTE, 0, &Act::CreateCategory);
        self.at_once(stores * 9 / 10, 2 * MINUTE, 1000, &Act::OpenStore);
        self.at_once(products * 85 / 100, HOUR, 500, &Act::CreateProduct);
        for _ in 0..customers * 3 / 10 {
            let time = 4 * HOUR + self.random.below(u64::from(HOUR)) as Millis;
            self.agenda.today(time, Act::RegisterCustomer);
        }
        self.habits = self.habits(products, stores, customers);
        self.price_changes = self.calendar.yearly(products, 2000, 20);
    }

    fn at_once(&mut self, count: u64, from: Millis, step: Millis, act: &Act) {
        for number in 0..count {
            self.agenda.today(from + step * number as Millis, act.clone());
        }
    }

    fn habits(&self, products: u64, stores: u64, customers: u64) -> Vec<Habit> {
        let yearly = |members, per_mille, at_least| self.calendar.yearly(members, per_mille, at_least);
        let [departments, categories] = Catalogue::later_members();
        [
            (Act::CreateDepartment, departments as u64, 80),
            (Act::RenameDepartment, yearly(8, 250, 2), 60),
            (Act::CreateCategory, categories as u64, 40),
            (Act::RenameCategory, yearly(40, 150, 2), 50),
            (Act::MoveCategory, yearly(40, 200, 3), 30),
            (Act::CreateProduct, products - products * 85 / 100, 40),
            (Act::RenameProduct, yearly(products, 60, 3), 70),
            (Act::RecategorizeProduct, yearly(products, 80, 3), 20),
            (Act::DiscontinueProduct, yearly(products, 80, 5), 80),
            (Act::BringProductBack, yearly(products, 30, 2), 30),
            (Act::OpenStore, stores - stores * 9 / 10, 50),
            (Act::RenameStore, yearly(stores, 60, 2), 40),
            (Act::MoveStore, yearly(stores, 80, 2), 60),
            (Act::CloseStore, yearly(stores, 60, 2), 80),
            (Act::ReopenStore, yearly(stores, 40, 1), 40),
            (Act::RegisterCustomer, customers - customers * 3 / 10, 10),
            (Act::MoveCustomer, yearly(customers, 80, 3), 30),
            (Act::ChangeSegment, yearly(customers, 60, 3), 50),
            (Act::CloseCustomer, yearly(customers, 40, 3), 70),
            (Act::RejoinCustomer, yearly(customers, 10, 1), 20),
        ]
        .map(|(act, total, phase)| Habit { act, total, phase })
        .into()
    }

    /// Enters into the agenda what this day brings, beside what earlier days have left to it.
    fn plan(&mut self, day: u32) {
        for Habit { act, total, phase } in &self.habits {
            for _ in 0..self.calendar.quota(*total, *phase, day, day + 1) {
                let time = office_time(&mut self.random);
                self.agenda.today(time, act.clone());
            }
        }
        if day % 7 == 1 {
            for _ in 0..self.calendar.quota(self.price_changes, 0, day.saturating_sub(6), day + 1) {
                self.agenda.today(PRICE_LIST, Act::ChangePrice);
            }
        }
        for _ in 0..self.calendar.orders_of(day) {
            let time = order_time(&mut self.random);
            let time = if day == 0 { OPENING + time / 4 * 3 } else { time };
            self.agenda.today(time, Act::PlaceOrder);
        }
    }

    fn happen(&mut self, task: Task) -> Result<()> {
        let time = task.time;
        self.pen.at(time);
        self.perform(task);
        let Some((event_type, line)) = self.pen.written() else { return Ok(()) };
        *self.summary.events.entry(event_type).or_default() += 1;
        self.delivery.hand_in(line, time, &mut self.summary)
    }

    fn perform(&mut self, task: Task) {
        let Self { catalogue, stores, customers, random, pen, summary, .. } = self;
        match task.act {
            Act::CreateDepartment => catalogue.create_department(pen),
            Act::RenameDepartment => catalogue.rename_department(random, pen),
            Act::CreateCategory => catalogue.create_category(random, pen),
            Act::RenameCategory => catalogue.rename_category(random, pen),
            Act::MoveCategory => catalogue.move_category(random, pen),
            Act::CreateProduct => catalogue.create_product(random, pen),
            Act::RenameProduct => catalogue.rename_product(random, pen),
            Act::ChangePrice => catalogue.change_price(random, pen),
            Act::RecategorizeProduct => catalogue.recategorize_product(random, pen),
            Act::DiscontinueProduct => catalogue.discontinue_product(random, pen),
            Act::BringProductBack => catalogue.bring_product_back(random, pen),
            Act::OpenStore => stores.open(random, pen),
            Act::RenameStore => stores.rename(random, pen),
            Act::MoveStore => stores.relocate(random, pen),
            Act::CloseStore => stores.close(random, pen),
            Act::ReopenStore => stores.reopen(random, pen),
            Act::RegisterCustomer => customers.register(random, pen),
            Act::RegisterBuyer(customer) => customers.register_buyer(customer, random, pen),
            Act::MoveCustomer => customers.relocate(random, pen),
            Act::ChangeSegment => customers.change_segment(random, pen),
            Act::CloseCustomer => customers.close(random, pen),
            Act::RejoinCustomer => customers.rejoin(random, pen),
            Act::PlaceOrder => self.place(task.time),
            Act::AmendOrder(amendment) => orders::amend(&amendment, summary, pen),
            Act::ShipOrder(order) => orders::ship(order, random, pen),
            Act::DeliverOrder(order) => orders::deliver(order, pen),
            Act::CancelOrder(reversal) => orders::cancel(&reversal, random, summary, pen),
            Act::ReturnOrder(reversal) => orders::give_back(&reversal, random, summary, pen),
        }
    }

    fn place(&mut self, time: Millis) {
        let mut market = Market {
            catalogue: &self.catalogue,
            stores: &self.stores,
            customers: &mut self.customers,
            random: &mut self.random,
            agenda: &mut self.agenda,
            summary: &mut self.summary,
        };
        market.place(self.orders, time, &mut self.pen);
        self.orders += 1;
    }
}
