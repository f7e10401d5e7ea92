"""Company names in Chinese and English with the same meaning: place, brand, trade, legal form."""

from random import Random
from typing import NamedTuple

from standalone.demo_data.reference_data import LOGISTICS, TRADES, Trade


class Company(NamedTuple):
    """A company: its name in Chinese and English, country and trade."""

    name: str
    name_en: str
    country: str
    trade: Trade


class Place(NamedTuple):
    """A city with the trades it is known for."""

    zh: str
    en: str
    trades: tuple[str, ...]


CITIES = (
    Place("深圳", "Shenzhen", ("Electronics", "Smart Devices", "Security", "Lighting", "New Energy")),
    Place("东莞", "Dongguan", ("Electronics", "Mould", "Toys", "Furniture", "Shoes")),
    Place("广州", "Guangzhou", ("Garment", "Cosmetics", "Bags", "Hair Products", "Auto Parts")),
    Place("佛山", "Foshan", ("Furniture", "Building Materials", "Electric Appliance", "Lighting")),
    Place("中山", "Zhongshan", ("Lighting", "Electric Appliance", "Furniture")),
    Place("汕头", "Shantou", ("Toys", "Baby Products", "Garment")),
    Place("宁波", "Ningbo", ("Machinery", "Mould", "Stationery", "Electric Appliance", "Outdoor Products")),
    Place("义乌", "Yiwu", ("Crafts", "Jewelry", "Stationery", "Homeware", "Bags")),
    Place("杭州", "Hangzhou", ("Garment", "Homeware", "Pet Products", "Smart Devices")),
    Place("温州", "Wenzhou", ("Valve", "Shoes", "Auto Parts", "Packaging Products")),
    Place("台州", "Taizhou", ("Mould", "Valve", "Machinery", "Homeware")),
    Place("永康", "Yongkang", ("Hardware", "Fitness Equipment", "Garden Tools")),
    Place("绍兴", "Shaoxing", ("Textile", "Garment")),
    Place("苏州", "Suzhou", ("Machinery", "Textile", "Medical Instrument", "New Energy")),
    Place("常州", "Changzhou", ("New Energy", "Garden Tools", "Medical Instrument", "Auto Parts")),
    Place("南通", "Nantong", ("Textile", "Fitness Equipment", "Pet Products")),
    Place("上海", "Shanghai", ("Chemical", "Medical Instrument", "Packaging Products", "Cosmetics")),
    Place("青岛", "Qingdao", ("Machinery", "Hair Products", "Outdoor Products", "Packaging Products")),
    Place("许昌", "Xuchang", ("Hair Products",)),
    Place("济南", "Jinan", ("Machinery", "Chemical")),
    Place("厦门", "Xiamen", ("Outdoor Products", "Crafts", "Bags", "Building Materials")),
    Place("泉州", "Quanzhou", ("Shoes", "Garment", "Crafts", "Bags")),
    Place("石家庄", "Shijiazhuang", ("Chemical", "Pet Products", "Textile")),
)

ABROAD = (
    ("香港", "Hong Kong", "HK", "贸易有限公司", "Trading Limited"),
    ("新加坡", "Singapore", "SG", "贸易有限公司", "Trading Pte. Ltd."),
    ("首尔", "Seoul", "KR", "株式会社", "Co., Ltd."),
    ("胡志明市", "Ho Chi Minh City", "VN", "股份公司", "Joint Stock Company"),
    ("伊斯坦布尔", "Istanbul", "TR", "贸易有限公司", "Dis Ticaret Ltd. Sti."),
)

FORMS = (
    ("有限公司", "Co., Ltd."),
    ("有限公司", "Co., Ltd."),
    ("进出口有限公司", "Import & Export Co., Ltd."),
    ("科技有限公司", "Technology Co., Ltd."),
    ("实业有限公司", "Industrial Co., Ltd."),
    ("制造有限公司", "Manufacturing Co., Ltd."),
)

FIRST = [
    "海Hai",
    "金Jin",
    "瑞Rui",
    "恒Heng",
    "鑫Xin",
    "博Bo",
    "嘉Jia",
    "盛Sheng",
    "宏Hong",
    "德De",
    "新Xin",
    "佳Jia",
    "东Dong",
    "天Tian",
    "永Yong",
    "远Yuan",
    "明Ming",
    "安An",
    "泰Tai",
    "和He",
    "凯Kai",
    "百Bai",
    "创Chuang",
    "优You",
    "锐Rui",
    "晟Sheng",
    "启Qi",
    "兴Xing",
    "汇Hui",
    "立Li",
    "正Zheng",
    "云Yun",
    "卓Zhuo",
    "越Yue",
    "朗Lang",
    "沃Wo",
    "菲Fei",
]
SECOND = [
    "拓tuo",
    "达da",
    "润run",
    "丰feng",
    "隆long",
    "源yuan",
    "利li",
    "腾teng",
    "美mei",
    "洋yang",
    "宇yu",
    "尚shang",
    "格ge",
    "恩en",
    "澜lan",
    "帆fan",
    "峰feng",
    "辰chen",
    "琪qi",
    "泽ze",
    "林lin",
    "光guang",
    "星xing",
    "然ran",
    "图tu",
    "贝bei",
    "奥ao",
    "途tu",
    "纳na",
    "鸿hong",
    "坤kun",
    "彩cai",
    "诺nuo",
    "卡ka",
    "雅ya",
    "森sen",
    "尔er",
    "莱lai",
    "维wei",
]
STRIDE = 7919  # a prime: steps of this size reach every brand before one repeats


def brand(number: int) -> tuple[str, str]:
    """Return the nth brand in Chinese and in Latin letters: 海拓, Haituo."""
    first, second = divmod(number * STRIDE % (len(FIRST) * len(SECOND)), len(SECOND))
    syllables = FIRST[first], SECOND[second]
    return "".join(s[0] for s in syllables), "".join(s[1:] for s in syllables)


def mainland_company(rng: Random, number: int) -> Company:
    city, (zh, en) = rng.choice(CITIES), brand(number)
    trade, form = TRADES[rng.choice(city.trades)], rng.choice(FORMS)
    return Company(f"{city.zh}{zh}{trade.zh}{form[0]}", f"{city.en} {en} {trade.en} {form[1]}", "CN", trade)


def foreign_company(rng: Random, number: int) -> Company:
    (place, place_en, country, form, form_en), (zh, en) = rng.choice(ABROAD), brand(number)
    trade = rng.choice(list(TRADES.values()))
    return Company(f"{place}{zh}{trade.zh}{form}", f"{place_en} {en} {trade.en} {form_en}", country, trade)


def forwarder(rng: Random, number: int) -> Company:
    city, (zh, en) = rng.choice(CITIES), brand(number)
    return Company(f"{city.zh}{zh}{LOGISTICS.zh}有限公司", f"{city.en} {en} {LOGISTICS.en} Co., Ltd.", "CN", LOGISTICS)
