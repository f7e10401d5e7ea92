"""Trades with their product categories, and the categories that Easy Return covers."""

from typing import NamedTuple


class Trade(NamedTuple):
    """A line of business: its name in Chinese and English, and its product category."""

    zh: str
    en: str
    category_l1: str
    category_l2: str


LOGISTICS = Trade("国际货运代理", "International Freight Forwarding", "Business Services", "Logistics Services")

TRADES: dict[str, Trade] = {
    trade.en: trade
    for trade in (
        Trade("机械", "Machinery", "Industrial Machinery", "Packaging Machines"),
        Trade("模具", "Mould", "Industrial Machinery", "Plastic Moulds"),
        Trade("阀门", "Valve", "Fabrication Parts", "Valves"),
        Trade("化工", "Chemical", "Chemicals", "Coatings & Adhesives"),
        Trade("建材", "Building Materials", "Construction & Real Estate", "Tiles & Flooring"),
        Trade("新能源", "New Energy", "Renewable Energy", "Solar Panels"),
        Trade("电子", "Electronics", "Consumer Electronics", "Earphones & Headphones"),
        Trade("智能设备", "Smart Devices", "Consumer Electronics", "Smart Wearables"),
        Trade("安防", "Security", "Security & Protection", "CCTV Products"),
        Trade("照明", "Lighting", "Lights & Lighting", "LED Lamps"),
        Trade("电器", "Electric Appliance", "Home Appliances", "Small Kitchen Appliances"),
        Trade("家具", "Furniture", "Furniture", "Office Furniture"),
        Trade("家居用品", "Homeware", "Home & Garden", "Kitchen & Tabletop"),
        Trade("园林工具", "Garden Tools", "Home & Garden", "Garden Supplies"),
        Trade("服饰", "Garment", "Apparel & Accessories", "Women's Clothing"),
        Trade("鞋业", "Shoes", "Shoes & Accessories", "Sports Shoes"),
        Trade("箱包", "Bags", "Luggage, Bags & Cases", "Backpacks"),
        Trade("纺织", "Textile", "Fabric & Textile Raw Material", "Home Textile"),
        Trade("饰品", "Jewelry", "Jewelry, Eyewear & Watches", "Fashion Jewelry"),
        Trade("玩具", "Toys", "Toys & Games", "Educational Toys"),
        Trade("母婴用品", "Baby Products", "Mother & Kids", "Strollers & Walkers"),
        Trade("化妆品", "Cosmetics", "Beauty", "Make-up"),
        Trade("美发用品", "Hair Products", "Beauty", "Wigs & Hair Extensions"),
        Trade("工艺品", "Crafts", "Gifts & Crafts", "Seasonal Decorations"),
        Trade("文具", "Stationery", "School & Office Supplies", "Notebooks & Pens"),
        Trade("户外用品", "Outdoor Products", "Sports & Entertainment", "Camping & Hiking"),
        Trade("健身器材", "Fitness Equipment", "Sports & Entertainment", "Fitness & Bodybuilding"),
        Trade("宠物用品", "Pet Products", "Pet Supplies", "Beds & Carriers"),
        Trade("汽车配件", "Auto Parts", "Vehicle Parts & Accessories", "Auto Lighting"),
        Trade("医疗器械", "Medical Instrument", "Health & Medical", "Rehabilitation Supplies"),
        Trade("五金", "Hardware", "Tools & Hardware", "Hand Tools"),
        Trade("包装制品", "Packaging Products", "Packaging & Printing", "Paper Boxes"),
    )
}

LOW_INTENT_SOURCES = ("offsite_banner", "new_user_push")
"""Sources of visits that seldom lead to an order."""

EASY_RETURN_CATEGORIES = (
    "Apparel & Accessories",
    "Beauty",
    "Cameras & Photo",
    "Computer Hardware & Software",
    "Consumer Electronics",
    "Electrical Equipment & Supplies",
    "Electronic Components & Accessories",
    "Fabric & Textile Raw Material",
    "Furniture",
    "Gifts & Crafts",
    "Home & Garden",
    "Home Appliances",
    "Jewelry, Eyewear & Watches",
    "Lights & Lighting",
    "Luggage, Bags & Cases",
    "Mother & Kids",
    "Musical Instruments",
    "Packaging & Printing",
    "Party Supplies",
    "Personal Care & Household Cleaning",
    "Pet Supplies",
    "School & Office Supplies",
    "Security & Protection",
    "Shoes & Accessories",
    "Sports & Entertainment",
    "Telecommunication",
    "Tools & Hardware",
    "Toys & Games",
    "Vehicle Parts & Accessories",
)
