//! What things in the shop are called, as JSON text (a quote is escaped here, once).

use super::random::mix;

/// Departments with the names that they take in turn.
pub const DEPARTMENTS: [[&str; 2]; 8] = [
    ["Groceries", "Food & Drink"],
    ["Household", "Home & Living"],
    ["Electronics", "Tech"],
    ["Garden", "Outdoor"],
    ["Sports", "Sports & Leisure"],
    ["Toys", "Toys & Games"],
    ["Fashion", "Clothing"],
    ["Books", "Books & Stationery"],
];

/// Categories: the names that they take in turn, and what products in them are. Five for each department.
pub const CATEGORIES: [[&str; 3]; 40] = [
    ["Coffee", "Coffee & Tea", "Espresso"],
    ["Chocolate", "Sweets", "Chocolate Bar"],
    ["Pasta", "Pasta & Rice", "Spaghetti"],
    ["Wine", "Wine & Spirits", "Riesling"],
    ["Cheese", "Dairy", "Gruyère"],
    ["Cookware", "Pots & Pans", "Saucepan"],
    ["Bedding", "Bed & Bath", "Pillow"],
    ["Lighting", "Lamps", "Desk Lamp"],
    ["Cleaning", "Laundry & Cleaning", "Broom"],
    ["Furniture", "Small Furniture", "Stool"],
    ["Monitors", "Displays", "Monitor 27\\\""],
    ["Phones", "Smartphones", "Phone"],
    ["Audio", "Headphones", "Headphones"],
    ["Cameras", "Photo", "Camera"],
    ["Cables", "Accessories", "USB Cable"],
    ["Plants", "Plants & Seeds", "Rose Bush"],
    ["Tools", "Garden Tools", "Spade"],
    ["Grills", "Barbecue", "Charcoal Grill"],
    ["Ponds", "Water Garden", "Pond Pump"],
    ["Sheds", "Storage", "Shed"],
    ["Cycling", "Bikes", "Cycling Helmet"],
    ["Running", "Athletics", "Running Shoe"],
    ["Swimming", "Water Sports", "Goggles"],
    ["Climbing", "Mountain", "Carabiner"],
    ["Football", "Team Sports", "Football"],
    ["Puzzles", "Puzzles & Riddles", "Jigsaw"],
    ["Board Games", "Family Games", "Board Game"],
    ["Dolls", "Dolls & Figures", "Doll"],
    ["Building Blocks", "Construction", "Block Set"],
    ["Model Trains", "Models", "Locomotive"],
    ["Shirts", "Tops", "Shirt"],
    ["Jeans", "Trousers", "Jeans"],
    ["Shoes", "Footwear", "Sneaker"],
    ["Hats", "Headwear", "Hat"],
    ["Coats", "Jackets & Coats", "Coat"],
    ["Novels", "Fiction", "Novel"],
    ["Travel", "Travel Guides", "City Guide"],
    ["Cooking", "Food Writing", "Cookbook"],
    ["Paper", "Stationery", "Notebook"],
    ["Pens", "Writing", "Fountain Pen"],
];

/// The first words of product names.
pub const ADJECTIVES: [&str; 16] = [
    "Classic", "Little", "Grand", "Café", "Nordic", "Royal", "Urban", "Golden", "Plain", "Alpine", "Swift",
    "Quiet", "Bright", "Süße", "Vintage", "Pocket",
];

/// Brands, which a product keeps for life.
pub const BRANDS: [&str; 8] =
    ["Aurelia", "Bjørk", "Castor", "Delphin", "O'Dowd & Sons", "Fjord", "Gärtner", "Halcyon"];

/// City, state, country. Some cities share their name, and one state is a city.
pub const PLACES: [[&str; 3]; 32] = [
    ["Berlin", "Berlin", "Germany"],
    ["Hamburg", "Hamburg", "Germany"],
    ["München", "Bayern", "Germany"],
    ["Nürnberg", "Bayern", "Germany"],
    ["Neustadt", "Bayern", "Germany"],
    ["Neustadt", "Sachsen", "Germany"],
    ["Leipzig", "Sachsen", "Germany"],
    ["Köln", "Nordrhein-Westfalen", "Germany"],
    ["Düsseldorf", "Nordrhein-Westfalen", "Germany"],
    ["Halle", "Nordrhein-Westfalen", "Germany"],
    ["Halle", "Sachsen-Anhalt", "Germany"],
    ["Frankfurt", "Hessen", "Germany"],
    ["Frankfurt", "Brandenburg", "Germany"],
    ["Stuttgart", "Baden-Württemberg", "Germany"],
    ["Wien", "Wien", "Austria"],
    ["Graz", "Steiermark", "Austria"],
    ["Linz", "Oberösterreich", "Austria"],
    ["Salzburg", "Salzburg", "Austria"],
    ["Amsterdam", "Noord-Holland", "Netherlands"],
    ["Rotterdam", "Zuid-Holland", "Netherlands"],
    ["Utrecht", "Utrecht", "Netherlands"],
    ["Paris", "Île-de-France", "France"],
    ["Lyon", "Auvergne-Rhône-Alpes", "France"],
    ["Strasbourg", "Grand Est", "France"],
    ["Milano", "Lombardia", "Italy"],
    ["Bologna", "Emilia-Romagna", "Italy"],
    ["Torino", "Piemonte", "Italy"],
    ["Madrid", "Comunidad de Madrid", "Spain"],
    ["Sevilla", "Andalucía", "Spain"],
    ["Limburg", "Hessen", "Germany"],
    ["Antwerpen", "Vlaanderen", "Belgium"],
    ["Liège", "Wallonie", "Belgium"],
];

const FIRST_NAMES: [&str; 24] = [
    "Anna", "Ben", "Chloé", "David", "Elif", "Finn", "Greta", "Hugo", "Inès", "Jonas", "Käthe", "Luca",
    "María", "Noah", "Özlem", "Paul", "Rosa", "Søren", "Tim", "Ute", "Vera", "Wim", "Yara", "Zoë",
];

const LAST_NAMES: [&str; 24] = [
    "Müller", "Schmidt", "Weiß", "Fischer", "Weber", "Becker", "Dubois", "Moreau", "Rossi", "Bianchi",
    "García", "López", "Jansen", "de Vries", "Gruber", "Huber", "Yılmaz", "Nowak", "O'Brien", "Peeters",
    "Janssens", "Krüger", "Lehmann", "Maître",
];

/// The name of a customer: first and last.
pub fn person(number: u32) -> [&'static str; 2] {
    let chance = mix(u64::from(number));
    [FIRST_NAMES[(chance % 24) as usize], LAST_NAMES[(chance / 24 % 24) as usize]]
}
