//! Departments, categories and products, and what happens to them.

use super::names::{ADJECTIVES, BRANDS, CATEGORIES, DEPARTMENTS};
use super::pen::Pen;
use super::random::{Random, mix};

/// The departments that are there from the first day on; the last one opens later, with its categories.
const FIRST_DEPARTMENTS: usize = DEPARTMENTS.len() - 1;
const CATEGORIES_EACH: usize = CATEGORIES.len() / DEPARTMENTS.len();
/// The categories that are there from the first day on.
const FIRST_CATEGORIES: usize = FIRST_DEPARTMENTS * CATEGORIES_EACH;

struct Department {
    renamed: usize,
}

struct Category {
    department: usize,
    renamed: usize,
}

struct Product {
    /// The category it was created in: what it is.
    born_in: usize,
    category: usize,
    price_cents: u64,
    renamed: u64,
    /// The department it belonged to when it was discontinued, if it is.
    closed_in: Option<usize>,
}

/// Everything that can be sold. Numbers of members are indices, in the order of creation.
#[derive(Default)]
pub struct Catalogue {
    departments: Vec<Department>,
    categories: Vec<Category>,
    products: Vec<Product>,
    /// Products on sale; the place in the list is the popularity.
    on_sale: Vec<u32>,
    discontinued: Vec<u32>,
}

impl Catalogue {
    /// How many departments, then categories, are to be created on the first day.
    pub fn first_members() -> [usize; 2] {
        [FIRST_DEPARTMENTS, FIRST_CATEGORIES]
    }

    /// How many departments, then categories, are to be created later.
    pub fn later_members() -> [usize; 2] {
        [DEPARTMENTS.len() - FIRST_DEPARTMENTS, CATEGORIES.len() - FIRST_CATEGORIES]
    }

    pub fn create_department(&mut self, pen: &mut Pen) {
        let department = self.departments.len();
        let Some(names) = DEPARTMENTS.get(department) else { return };
        self.departments.push(Department { renamed: 0 });
        pen.begin("DepartmentCreated").id("department_id", "D", department as u64 + 1);
        pen.text("name", names[0]).end();
    }

    pub fn rename_department(&mut self, random: &mut Random, pen: &mut Pen) {
        let department = random.index(self.departments.len());
        let names = DEPARTMENTS[department];
        self.departments[department].renamed += 1;
        pen.begin("DepartmentRenamed").id("department_id", "D", department as u64 + 1);
        pen.text("name", names[self.departments[department].renamed % names.len()]).end();
    }

    pub fn create_category(&mut self, random: &mut Random, pen: &mut Pen) {
        let category = self.categories.len();
        let Some(names) = CATEGORIES.get(category) else { return };
        let mut department = category / CATEGORIES_EACH;
        if department >= self.departments.len() {
            department = random.index(self.departments.len());
        }
        self.categories.push(Category { department, renamed: 0 });
        pen.begin("CategoryCreated").id("category_id", "K", category as u64 + 101);
        pen.text("name", names[0]).id("department_id", "D", department as u64 + 1).end();
    }

    pub fn rename_category(&mut self, random: &mut Random, pen: &mut Pen) {
        let category = random.index(self.categories.len());
        self.categories[category].renamed += 1;
        pen.begin("CategoryRenamed").id("category_id", "K", category as u64 + 101);
        pen.text("name", CATEGORIES[category][self.categories[category].renamed % 2]).end();
    }

    pub fn move_category(&mut self, random: &mut Random, pen: &mut Pen) {
        let category = random.index(self.categories.len());
        let department = another(random, self.departments.len(), self.categories[category].department);
        self.categories[category].department = department;
        pen.begin("CategoryMoved").id("category_id", "K", category as u64 + 101);
        pen.id("department_id", "D", department as u64 + 1).end();
    }

    pub fn create_product(&mut self, random: &mut Random, pen: &mut Pen) {
        let product = self.products.len() as u32;
        let category = random.index(self.categories.len());
        let price_cents =
            random.between(1, 30) * random.pick(&[100, 100, 200, 500]) - random.pick(&[1, 5, 50]);
        self.products.push(Product { born_in: category, category, price_cents, renamed: 0, closed_in: None });
        self.put_on_sale(product, random);
        self.write_created(product, pen);
    }

    pub fn rename_product(&mut self, random: &mut Random, pen: &mut Pen) {
        let product = random.pick(&self.on_sale);
        self.products[product as usize].renamed += 1;
        pen.begin("ProductRenamed").id("product_id", "P", u64::from(product) + 10_001);
        self.write_name(product, pen);
        pen.end();
    }

    /// Prices go up more often than down, and once in a while the list says the old one again.
    pub fn change_price(&mut self, random: &mut Random, pen: &mut Pen) {
        let product = random.pick(&self.on_sale);
        let price_cents = &mut self.products[product as usize].price_cents;
        *price_cents =
            (*price_cents * random.pick(&[80, 90, 95, 100, 103, 105, 108, 110, 120]) / 100).max(10);
        pen.begin("ProductPriceChanged").id("product_id", "P", u64::from(product) + 10_001);
        pen.money("unit_price", *price_cents).end();
    }

    pub fn recategorize_product(&mut self, random: &mut Random, pen: &mut Pen) {
        let product = random.pick(&self.on_sale);
        let category = another(random, self.categories.len(), self.products[product as usize].category);
        self.products[product as usize].category = category;
        pen.begin("ProductRecategorized").id("product_id", "P", u64::from(product) + 10_001);
        pen.id("category_id", "K", category as u64 + 101).end();
    }

    pub fn discontinue_product(&mut self, random: &mut Random, pen: &mut Pen) {
        if self.on_sale.len() < 2 {
            return;
        }
        let product = self.on_sale.swap_remove(random.index(self.on_sale.len()));
        self.discontinued.push(product);
        self.products[product as usize].closed_in = Some(self.department(product));
        pen.begin("ProductDiscontinued").id("product_id", "P", u64::from(product) + 10_001).end();
    }

    /// A discontinued product is created again, as it was.
    pub fn bring_product_back(&mut self, random: &mut Random, pen: &mut Pen) {
        if self.discontinued.is_empty() {
            return;
        }
        let product = self.discontinued.swap_remove(random.index(self.discontinued.len()));
        self.products[product as usize].closed_in = None;
        self.put_on_sale(product, random);
        self.write_created(product, pen);
    }

    /// A product that somebody buys: one on sale, or once in two thousand the rest of a discontinued one.
    pub fn buy(&self, random: &mut Random) -> u32 {
        if random.below(2000) == 0 && !self.discontinued.is_empty() {
            return random.pick(&self.discontinued);
        }
        self.on_sale[random.skewed(self.on_sale.len() as u64) as usize]
    }

    /// The list price now, or the last one.
    pub fn price_cents(&self, product: u32) -> u64 {
        self.products[product as usize].price_cents
    }

    /// The department to which a product belongs now, or belonged at last.
    pub fn department(&self, product: u32) -> usize {
        let product = &self.products[product as usize];
        product.closed_in.unwrap_or_else(|| self.categories[product.category].department)
    }

    fn put_on_sale(&mut self, product: u32, random: &mut Random) {
        self.on_sale.push(product);
        let last = self.on_sale.len() - 1;
        self.on_sale.swap(random.index(last + 1), last);
    }

    fn write_created(&self, product: u32, pen: &mut Pen) {
        let Product { category, price_cents, .. } = self.products[product as usize];
        pen.begin("ProductCreated").id("product_id", "P", u64::from(product) + 10_001);
        self.write_name(product, pen);
        pen.text("brand", BRANDS[(mix(u64::from(product)) % 8) as usize]);
        pen.id("category_id", "K", category as u64 + 101).money("unit_price", price_cents).end();
    }

    fn write_name(&self, product: u32, pen: &mut Pen) {
        let Product { born_in, renamed, .. } = self.products[product as usize];
        let adjective = ADJECTIVES[((mix(u64::from(product)) / 8 + renamed) % 16) as usize];
        pen.begin_text("name").raw(adjective).raw(" ").raw(CATEGORIES[born_in][2]);
        pen.raw(" ").digits(u64::from(product % 90) + 10, 1).end_text();
    }
}

/// A random index below `length` that is not `this`, if there is another.
pub fn another(random: &mut Random, length: usize, this: usize) -> usize {
    if length < 2 {
        return this;
    }
    let chosen = random.index(length - 1);
    if chosen >= this { chosen + 1 } else { chosen }
}
