"""The words that stories are made of: names, animals, things, places, feelings.

Plain data in simple English; how they are put together is in ``plots`` and ``scene``.
"""

from __future__ import annotations

BOYS = (
    "Tom Ben Sam Max Leo Jack Tim Finn Noah Omar Ravi Luca Hugo Milo Theo Otis Kofi Jonas Emil Arlo "
    "Felix Nico Pablo Amir Dan Joe Billy Oscar Henry Oliver Lucas Adam Jude Ali Peter Simon Toby Gus "
    "Ivan Kenji Mateo Rory Seth Will Yusuf Zane Ned Bo Charlie Eddie"
).split()
GIRLS = (
    "Lily Mia Anna Sue Amy Lucy Emma Zoe Nina Ella Ruby Ivy Maya Leila Rosa Clara Ada Tess June Hana "
    "Priya Sofia Nora Wren Daisy Molly Kate Jill Sara Alice Freya Elsa Greta Amina Zuri Mei Lena Olive "
    "Poppy Rose Bella Dora Fay Grace Holly Iris Kim Lola Mara Penny"
).split()
ANIMAL_NAMES_M = "Pip Rufus Bruno Hops Tuck Barney Moss Fuzz Ollie Bramble Chip Dash Nutty Scout Bubbles Rusty Waffle Button Spike Thistle".split()
ANIMAL_NAMES_F = "Dot Hazel Pearl Willow Misty Ginger Tilly Clover Honey Coco Nella Berry Fern Luna Minnie Pebble Maple Snow Tulip Velvet".split()

# animal -> (adjectives that suit it, where it lives, its sound or None)
ANIMALS: dict[str, tuple[str, str, str | None]] = {
    "fox": ("clever red quick sly", "in the woods", None),
    "rabbit": ("white soft quick shy", "near a green field", None),
    "bear": ("brown big sleepy gentle", "in a cave on the hill", "growl"),
    "mouse": ("tiny grey quick shy", "under an old barn", "squeak"),
    "cat": ("fluffy black lazy proud", "in a small house", "meow"),
    "dog": ("friendly spotted brown playful", "on a farm", "bark"),
    "owl": ("wise old grey quiet", "in a hollow tree", "hoot"),
    "frog": ("green jumpy happy noisy", "by the pond", "croak"),
    "duck": ("yellow funny noisy small", "by the pond", "quack"),
    "turtle": ("slow patient old green", "near the river", None),
    "squirrel": ("busy red quick hungry", "in a tall oak tree", None),
    "hedgehog": ("shy round prickly small", "under the hedge", None),
    "pig": ("pink muddy round happy", "on a farm", "oink"),
    "goat": ("stubborn white hungry bold", "on a steep hill", "bleat"),
    "elephant": ("big grey gentle kind", "near the great river", None),
    "lion": ("strong golden proud brave", "on the wide plain", "roar"),
    "monkey": ("cheeky brown playful quick", "in the jungle", None),
    "penguin": ("small funny brave black-and-white", "on the cold ice", None),
    "bird": ("little blue cheerful tiny", "in a nest above the road", "chirp"),
    "horse": ("brown fast gentle strong", "on a farm", "neigh"),
    "cow": ("brown calm kind sleepy", "in the meadow", "moo"),
    "sheep": ("woolly white shy soft", "in the meadow", "baa"),
    "snail": ("slow small patient quiet", "under a cabbage leaf", None),
    "bee": ("busy tiny striped cheerful", "in a hive by the garden", "buzz"),
    "ant": ("tiny strong busy black", "under a flat stone", None),
    "beaver": ("busy brown clever strong", "by the river", None),
    "otter": ("playful sleek brown happy", "by the river", None),
    "crab": ("red grumpy small shy", "on the beach", None),
    "whale": ("huge blue gentle lonely", "in the deep sea", None),
    "fish": ("silver small quick curious", "in the lake", None),
    "octopus": ("clever purple shy curious", "in the warm sea", None),
    "dragon": ("small green kind shy", "on top of a mountain", "roar"),
    "robot": ("shiny little helpful silver", "in a busy workshop", "beep"),
    "deer": ("graceful young shy brown", "in the woods", None),
    "wolf": ("grey young lonely quiet", "in the dark woods", "howl"),
    "raccoon": ("curious sneaky grey clever", "behind the old mill", None),
    "camel": ("tall patient grumpy thirsty", "near the desert", None),
    "hen": ("plump brown proud busy", "on a farm", "cluck"),
    "mole": ("small soft shy hard-working", "under the garden", None),
    "parrot": ("bright green noisy clever", "in the jungle", "squawk"),
    "panda": ("round sleepy gentle young", "in a bamboo forest", None),
    "kitten": ("tiny orange curious soft", "in a barn", "meow"),
    "puppy": ("small playful brown waggy", "in a yellow house", "bark"),
    "swan": ("white graceful proud young", "on the lake", None),
    "giraffe": ("tall young gentle spotted", "on the wide plain", None),
    "butterfly": ("yellow pretty tiny young", "in the garden", None),
    "unicorn": ("white shy gentle proud", "in a magic forest", None),
    "tiger": ("striped strong hungry proud", "in the jungle", "roar"),
    "zebra": ("striped fast shy young", "on the wide plain", None),
    "kangaroo": ("jumpy brown strong cheerful", "in a dry land", None),
    "koala": ("sleepy grey soft quiet", "in a tall tree", None),
    "hippo": ("big round slow happy", "in the great river", None),
    "crocodile": ("green grumpy long hungry", "in the great river", None),
    "snake": ("long green quiet clever", "under a warm rock", "hiss"),
    "spider": ("tiny black patient clever", "in the corner of a barn", None),
    "ladybug": ("red tiny spotted cheerful", "on a green leaf", None),
    "worm": ("pink long shy slow", "under the garden", None),
    "bat": ("small black sleepy noisy", "in a dark cave", None),
    "eagle": ("proud strong brown lonely", "on a high rock", None),
    "seal": ("grey funny playful round", "on the cold coast", None),
    "dolphin": ("happy clever fast grey", "in the warm sea", None),
    "shark": ("big grey lonely fast", "in the deep sea", None),
    "hamster": ("fluffy round tiny busy", "in a blue cage", "squeak"),
    "donkey": ("grey stubborn patient tired", "on a farm", None),
    "goose": ("loud white proud bossy", "on a farm", "honk"),
    "rooster": ("loud proud colourful bossy", "on a farm", "crow"),
    "lamb": ("white tiny soft shy", "in the meadow", "baa"),
    "pony": ("brown small fast gentle", "on a farm", "neigh"),
    "dinosaur": ("huge green friendly hungry", "in a valley long ago", "roar"),
    "princess": ("clever kind brave bored", "in a castle", None),
    "prince": ("shy kind young lonely", "in a castle", None),
    "king": ("old wise grumpy sad", "in a castle", None),
    "queen": ("wise kind proud strict", "in a castle", None),
    "knight": ("brave tired young clumsy", "in a castle", None),
    "pirate": ("grumpy funny brave old", "on an old ship", None),
    "wizard": ("old clumsy wise forgetful", "in a tall tower", None),
    "witch": ("kind old funny clumsy", "in a crooked house", None),
    "fairy": ("tiny kind playful shy", "in a flower", None),
    "ghost": ("shy friendly pale lonely", "in an old house", None),
    "monster": ("furry friendly hungry shy", "under a bed", None),
    "mermaid": ("curious young brave shy", "in the blue sea", None),
    "giant": ("huge gentle lonely clumsy", "on top of a mountain", None),
    "snowman": ("round cold cheerful lonely", "in a white garden", None),
    "astronaut": ("brave careful curious young", "on a space ship", None),
    "farmer": ("tired old kind strong", "on a farm", None),
}

# Heroes who can only be called he or she.
GENDERS = {
    "princess": "she", "queen": "she", "witch": "she", "fairy": "she", "mermaid": "she", "hen": "she", "cow": "she",
    "prince": "he", "king": "he", "wizard": "he", "rooster": "he", "snowman": "he",
}

# thing -> (adjectives, plain plural)
THINGS: dict[str, tuple[str, str]] = {
    "kite": ("red blue big paper", "kites"),
    "ball": ("red round bouncy blue", "balls"),
    "book": ("thick old picture blue", "books"),
    "hat": ("tall yellow woolly funny", "hats"),
    "drum": ("loud small red wooden", "drums"),
    "boat": ("toy wooden little white", "boats"),
    "lamp": ("bright old golden small", "lamps"),
    "key": ("rusty tiny silver old", "keys"),
    "bell": ("silver shiny little brass", "bells"),
    "shell": ("pink pretty spiral white", "shells"),
    "stone": ("smooth shiny green round", "stones"),
    "scarf": ("warm striped red woolly", "scarves"),
    "basket": ("big woven old little", "baskets"),
    "cup": ("blue tiny pretty old", "cups"),
    "whistle": ("wooden loud tin small", "whistles"),
    "blanket": ("soft warm green old", "blankets"),
    "umbrella": ("big yellow broken striped", "umbrellas"),
    "flute": ("wooden thin old silver", "flutes"),
    "map": ("old torn secret paper", "maps"),
    "mirror": ("round shiny small old", "mirrors"),
    "ribbon": ("long pink purple shiny", "ribbons"),
    "button": ("gold round shiny lost", "buttons"),
    "coin": ("gold old shiny silver", "coins"),
    "clock": ("old ticking tall tiny", "clocks"),
    "spoon": ("wooden silver big old", "spoons"),
    "wagon": ("red wooden small squeaky", "wagons"),
    "bike": ("green fast shiny new", "bikes"),
    "swing": ("old rope high wooden", "swings"),
    "pencil": ("yellow long magic short", "pencils"),
    "puzzle": ("hard big colourful wooden", "puzzles"),
    "guitar": ("old brown small loud", "guitars"),
    "train": ("toy wooden red long", "trains"),
    "lantern": ("paper bright round little", "lanterns"),
    "feather": ("white long blue soft", "feathers"),
    "jar": ("glass empty big honey", "jars"),
    "teddy": ("soft brown old small", "teddies"),
    "rope": ("long thick strong old", "ropes"),
    "star": ("paper shiny gold tiny", "stars"),
    "box": ("wooden blue secret small", "boxes"),
    "crown": ("paper golden little shiny", "crowns"),
    "seed": ("tiny strange brown round", "seeds"),
    "balloon": ("red big shiny blue", "balloons"),
    "doll": ("rag little pretty old", "dolls"),
    "sled": ("fast wooden red small", "sleds"),
    "backpack": ("blue heavy new green", "backpacks"),
    "magnet": ("strong red little old", "magnets"),
    "telescope": ("long brass old small", "telescopes"),
    "trumpet": ("shiny loud golden toy", "trumpets"),
    "boot": ("muddy yellow big old", "boots"),
    "marble": ("green glass shiny tiny", "marbles"),
    "rocket": ("toy red tall silver", "rockets"),
    "ladder": ("long old wooden shaky", "ladders"),
    "pillow": ("soft big white old", "pillows"),
    "sock": ("striped woolly red lost", "socks"),
    "shoe": ("brown old tiny shiny", "shoes"),
    "ring": ("gold shiny tiny lost", "rings"),
    "coat": ("warm blue long old", "coats"),
    "sword": ("wooden shiny old short", "swords"),
    "egg": ("big blue warm strange", "eggs"),
    "leaf": ("golden big red dry", "leaves"),
    "candle": ("white tall small red", "candles"),
    "camera": ("old black small new", "cameras"),
    "violin": ("old brown small lovely", "violins"),
    "flower": ("yellow pretty tall wild", "flowers"),
    "letter": ("long old secret short", "letters"),
    "glove": ("woolly red warm lost", "gloves"),
    "plate": ("blue old round cracked", "plates"),
    "toy car": ("red fast little old", "toy cars"),
    "robot": ("toy silver small old", "robots"),
    "pumpkin": ("huge orange round heavy", "pumpkins"),
    "paintbrush": ("thin old long new", "paintbrushes"),
    "snowball": ("big round cold white", "snowballs"),
    "wheel": ("old wooden big rusty", "wheels"),
    "horn": ("loud golden old small", "horns"),
    "bucket": ("blue old big leaky", "buckets"),
    "chair": ("old little wooden red", "chairs"),
    "tent": ("green small old new", "tents"),
    "painting": ("old strange small lovely", "paintings"),
}

FOODS = (
    "apple pie|honey cake|vegetable soup|fresh bread|blueberry jam|cheese|pancakes|carrot soup|cookies|"
    "warm milk|berries|noodles|rice and beans|lemon cake|banana bread|hot chocolate|mushroom stew|plum cake|"
    "corn bread|popcorn|strawberries|tomato soup|nut cookies|pumpkin pie"
).split("|")

# place -> preposition phrase
PLACES = {
    "park": "in the park", "forest": "in the forest", "beach": "on the beach", "garden": "in the garden",
    "farm": "on the farm", "river": "by the river", "hill": "on the hill", "market": "at the market",
    "lake": "by the lake", "meadow": "in the meadow", "village": "in the village", "school": "at school",
    "library": "in the library", "barn": "in the barn", "attic": "in the attic", "yard": "in the yard",
    "mountain": "on the mountain", "pond": "by the pond", "bridge": "near the bridge", "island": "on the island",
    "castle": "in the castle", "kitchen": "in the kitchen", "cave": "in the cave", "orchard": "in the orchard",
    "harbor": "at the harbor", "street": "on the street", "playground": "in the playground", "zoo": "at the zoo",
    "field": "in the field", "museum": "in the museum",
}
OUTDOORS = tuple("park forest beach garden farm river hill lake meadow village yard mountain pond bridge island orchard harbor street playground field".split())

HELPERS = (
    "an old owl:he", "a kind baker:she", "a wise turtle:he", "the old fisherman:he", "a small grey bird:she",
    "a friendly farmer:he", "the librarian:she", "a tall gardener:she", "a clever crow:he", "a funny clown:he",
    "a young teacher:she", "a quiet shepherd:he", "the mail carrier:she", "an old lady with a green hat:she",
    "a little ant:he", "the bus driver:he", "a busy beaver:he", "a doctor with a big bag:she", "the painter next door:she",
    "a strong blacksmith:he", "a singing frog:he", "an old sailor:he", "a kind nurse:she", "a white goose:she",
)

ADJ_CHILD = "little kind curious brave shy clever cheerful quiet young playful gentle busy dreamy stubborn friendly funny careful hopeful lively thoughtful".split()
TIMES = (
    "one day|one morning|one sunny morning|one rainy day|one afternoon|one cold day|one warm evening|one windy day|"
    "on Monday morning|on a bright spring day|on a snowy day|early one morning|late one afternoon|last summer|"
    "one quiet night|on the first day of spring|after breakfast|after school one day|one foggy morning|on a hot day"
).split("|")
WEATHER = (
    "the sun was shining|the wind was blowing|a soft rain was falling|the sky was blue|the air smelled of flowers|"
    "the snow lay deep and white|the leaves were turning red|the birds were singing|the clouds looked like sheep|"
    "the grass was still wet|the moon was round and bright|the day was long and warm"
).split("|")
COLORS = "red blue green yellow purple orange white black pink brown golden silver".split()

CHILD_HOMES = (
    "in a small town|in a big city|in a little house by the sea|near the forest|in a tall building|on a farm|in a village|"
    "at the end of a long road|above a bakery|in a house with a red door|on a boat|on a hill|next to the old mill|"
    "in a yellow house|near the train tracks|in a house full of books|behind the school|on a quiet street"
).split("|")
FEELINGS = "happy|glad|proud|warm|brave|light as a feather|calm and happy|very lucky|full of joy|safe and warm".split("|")
SAD_FEELINGS = "sad|lonely|sorry|very small|tired and sad|blue|cold inside|empty".split("|")

_PEOPLE = "robot princess prince king queen knight pirate wizard witch fairy ghost monster mermaid giant snowman astronaut farmer dragon unicorn dinosaur".split()
WILD = [animal for animal in ANIMALS if animal not in _PEOPLE]
"""Animals that may pass by in any story."""
