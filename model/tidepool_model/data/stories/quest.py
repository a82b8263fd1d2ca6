"""The combinatorial plot: a wish, obstacles on the way, help, feelings and an outcome, drawn apart.

Plain data in the language of ``template``; ``make`` joins one of each into a plot.
Any wish goes with any obstacle, help and lesson, so their number multiplies.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from .template import Beat, Plot

SHARE = 0.35
"""Share of stories told by this plot: it has about as many tellings as all others together."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the hero wants: ``to`` follows "wanted to"; the rest are whole sentences."""

    to: str
    why: tuple[str, ...]
    start: tuple[str, ...]
    won: tuple[str, ...]
    lost: tuple[str, ...]
    twist: tuple[str, ...]


WISHES: tuple[Wish, ...] = (
    Wish("see the [wide|big|blue] sea", ("{he} had heard that it was as big as the sky.", "{he} had a shell that sang of it.", "In {his} dreams {he} could hear the waves."), ("So {he} packed some {food} and [went|set] off.", "{he} put on {his} hat and walked toward the wind."), ("And there it was, blue and endless. {H} ran right into the waves.", "Then {he} came over the last hill and saw the sea. {he} could not say a word."), ("But the road was too long, and winter came. {H} had to turn back.",), ("At last {he} came to the water. \"Is this the sea?\" {he} asked a frog. \"No, this is my puddle,\" said the frog. It was big enough for {H}.",)),
    Wish("learn to swim", ("All the others could swim.", "The water looked so cool and clear.", "{he} was tired of watching from the shore."), ("{he} put one foot into the water. It was cold!", "Every morning {he} went to the pond."), ("Suddenly {his} feet left the ground, and {he} was swimming!", "One stroke, two strokes, three strokes. \"Look at me!\" {he} cried."), ("But when fall came, {he} still could not swim, and the water got too cold.",), ("Then {he} fell in. {he} opened {his} eyes and found that {he} could stand.",)),
    Wish("build a [boat|raft]", ("{he} wanted to know where the river ends.", "{he} loved everything that floats."), ("{he} gathered wood and rope.", "{he} drew a plan in the sand.", "{he} asked around for old boards."), ("The boat slid into the water, and it did not sink! {H} stood at the front like a captain.", "And so, one fine morning, the boat sailed down the river."), ("The boat floated for a minute. Then it filled with water and sank.",), ("The boat was done, but it was too big for the door. So {H} made it {his} bed.",)),
    Wish("find the end of the rainbow", ("{P} had told {him} that there was gold.", "It had rained, and now a rainbow stood over the hills."), ("{he} ran as fast as {he} could.", "{he} followed the colors."), ("There was no gold, but there was a field full of flowers in all the colors. \"This is better,\" said {H}.", "And there, in the wet grass, {he} found a tiny pot. It was full of honey."), ("But the rainbow grew pale, and then it was gone.",), ("When {he} looked back, the rainbow ended on {his} own roof!",)),
    Wish("fly like a bird", ("{he} watched the birds all day.", "\"How nice it must be up there,\" {he} thought."), ("{he} made wings from paper and sticks.", "{he} jumped from a low wall and flapped."), ("A big goose let {him} sit on her back, and up they went. {H} saw the whole world below.", "{he} took a kite and a long swing, and for a moment {he} really flew."), ("But {he} fell and hurt {his} knee, and the wings were broken.",), ("The wind took {his} hat instead. \"At least my hat can fly,\" said {H}.",)),
    Wish("bake the best [cake|bread|pie] in the world", ("There was a big feast on Sunday.", "{his} {P} had stopped baking because {phis} hands were tired."), ("{he} took flour and eggs and a very big bowl.", "{he} read the recipe {n} times."), ("It smelled so good that everyone {inplace} came running. Not a crumb was left.", "Everyone took a bite and closed their eyes. \"Mmm!\" they said."), ("But {he} forgot it in the oven, and it came out black.",), ("But {he} had taken salt instead of sugar. The goats loved it.",)),
    Wish("win a prize", ("{he} had never won anything.", "The prize was {a thingadj} {thing}."), ("{he} practiced day and night.", "{he} wrote {his} name on the list."), ("When they called the winner, it was {H}!", "{he} won! {his} hands shook when {he} took the prize."), ("{he} came last, and nobody clapped.",), ("{he} got the prize for the loudest laugh.",)),
    Wish("find a friend", ("It was lonely at home.", "{he} had many toys, but no one to play with."), ("{he} went from door to door.", "{he} wrote a note: \"Friend wanted.\""), ("On the way home somebody walked next to {him} and did not go away. That is how friends are found.", "\"Do you want to play?\" asked a small voice. And did {he} ever!"), ("But it got dark, and {he} was still alone.",), ("The friend turned out to be {his} own shadow. They danced together all evening.",)),
    Wish("see the stars up close", ("They looked like tiny lamps.", "{he} wanted to know if they were warm."), ("{he} climbed the highest hill.", "{he} built a tower of boxes."), ("On top of the hill the stars were so near that {he} could almost touch them.", "{he} looked through a long glass, and there they were, big and bright."), ("But clouds came, and all the stars were hidden.",), ("{he} saw one fall. In the grass {he} found a firefly. \"Hello, little star,\" {he} said.",)),
    Wish("grow as tall as a tree", ("Everyone called {him} \"shorty\".", "{he} could never reach the {food}."), ("{he} ate a lot and stretched every day.", "{he} stood in the rain, because that is what plants do."), ("Then a ball got lost in a tiny hole, and only {H} was small enough to get it. Now {he} was glad to be small.", "{he} was not taller in the end, but nobody laughed any more."), ("But {he} did not grow at all.",), ("{he} measured {himself} at the door: the door had sunk, so now {he} was tall!",)),
    Wish("make {his} {P} laugh", ("{P} had been sad for days.", "It was much too quiet at home."), ("{he} told {n} jokes and made faces.", "{he} put a pot on {his} head."), ("At last {P} smiled, then giggled, then laughed out loud.", "It was a tiny laugh at first, and then a big one."), ("But {P} only shook {phis} head and looked out of the window.",), ("{P} did not laugh at the jokes. {P} laughed when {H} fell into the soup.",)),
    Wish("find out who took the {food}", ("Every night some of it was gone.", "There were crumbs on the floor."), ("{he} put flour on the floor to see the foot marks.", "{he} hid behind the door and waited."), ("It was a family of hungry mice. {H} gave them a plate of their own.", "The thief was very small and very sorry. {H} said, \"Next time, just ask.\""), ("But {he} fell asleep, and in the morning all of it was gone.",), ("The marks went straight to {his} own bed. {H} had eaten it in {his} sleep!",)),
    Wish("play music for everyone", ("{he} heard a song in {his} head.", "There was going to be a dance."), ("{he} found an old [flute|drum|guitar] and began.", "{he} practiced in the barn, where nobody could hear."), ("When {he} played, everyone began to dance, even the old cat.", "The song was short, but it was so lovely that nobody moved."), ("But {his} fingers were too cold, and the song went wrong.",), ("A frog sang along, and the frog was better. Now they are a band.",)),
    Wish("paint the most beautiful picture", ("{he} had {n} colors and a big sheet of paper.", "The wall at home was empty."), ("{he} looked for something to paint.", "{he} painted the {place}, the sky and the clouds."), ("{he} painted all {his} friends, and that was the most beautiful picture of all.", "When it was done, people came from far away to look at it."), ("Then it rained, and the colors ran down the paper.",), ("A bird walked over it with wet feet, and that made it perfect.",)),
    Wish("cross the [great|high|dark] mountain", ("On the other side lived {his} {P}.", "Nobody had ever done it."), ("{he} took a stick and a bag and began to climb.", "{he} started before the sun was up."), ("Late in the evening {he} stood on the other side. There was a light in a window.", "{he} did it! From the top {he} could see the whole land."), ("But the snow was too deep. {he} had to go back.",), ("Then {he} found a tunnel with a sign: \"Short way\".",)),
    Wish("help {his} {P}", ("{P} was ill and had to rest.", "There was so much work to do."), ("{he} swept the floor and fed the hens.", "{he} went to the market all alone."), ("When {P} woke up, everything was clean and the soup was hot.", "{P} looked around and had tears in {phis} eyes. \"You did all this?\""), ("But {he} dropped the eggs and lost the money.",), ("{he} worked so hard that {he} fell asleep in the washing basket. {P} carried {him} to bed.",)),
    Wish("find the lost {thing}", ("It belonged to {his} {P}.", "Without it nobody could be happy."), ("{he} followed the trail.", "{he} took a lamp and went out."), ("There it lay, wet but whole. {H} carried it home in both hands.", "It was under the old bridge, where nobody had looked."), ("{he} found only a piece of it.",), ("All the time it had been in {his} pocket!",)),
    Wish("stay awake until morning", ("{he} wanted to see what happens in the night.", "Nobody thought that {he} could do it."), ("{he} sat by the window and counted sheep.", "{he} sang to {himself} and walked around."), ("At last the sky turned pink. {H} had seen the very first light of the day.", "{he} saw an owl, a fox and the morning star, and then the sun came up."), ("But {his} eyes closed, and {he} slept until noon.",), ("{he} counted {n} sheep, and then a real sheep looked through the window.",)),
    Wish("send a letter to the moon", ("The moon looked so lonely up there.", "{he} had a question that only the moon could answer."), ("{he} wrote it in {his} best letters.", "{he} tied it to a big balloon."), ("The next night the moon was a little brighter. {H} was sure that it had smiled.", "In the morning there was an answer on the window, written in frost: \"Thank you.\""), ("But the balloon got caught in a tree and went pop.",), ("The letter came back with a stamp: \"Not enough cheese.\"",)),
    Wish("have a [garden|little garden] of {his} own", ("{he} loved everything that grows.", "All {he} had was a bit of dry ground."), ("{he} dug and raked all day.", "{he} got seeds from everyone who had some."), ("In summer there were beans, roses and {n} big pumpkins.", "The bees came first, and then all the neighbors came to look."), ("But the goats came in the night and ate it all.",), ("What came up was not beans. It was {a color} flower that sang at noon.",)),
    Wish("be the first to see the new year", ("{he} had always slept through it.", "They said that it came over the hill at midnight."), ("{he} put on two coats and went up the hill.", "{he} took a hot potato in each pocket."), ("The bells rang, and {H} was the first to say, \"Welcome!\"", "Up on the hill {he} saw all the lights of the town. \"Happy new year!\" {he} whispered."), ("But {he} fell asleep on a bench and missed it.",), ("On the hill stood everyone else. They all wanted to be first!",)),
    Wish("catch the wind", ("It had taken {his} hat {n} times.", "\"If I catch it, I can ask it to stop,\" {he} thought."), ("{he} took a big sack and climbed a wall.", "{he} held a jar out of the window."), ("The wind blew into the sack, and the sack carried {him} over the whole {place}. What a ride!", "{he} could not catch it, but it played with {him} all day."), ("But the wind tore the sack and was gone.",), ("In the jar there was nothing but a small whistle. It is whistling still.",)),
    Wish("learn to read", ("There was a fat book at home with no pictures.", "{he} wanted to know what the signs said."), ("{he} asked for one letter every day.", "{he} drew the letters in the sand."), ("One evening {he} read a whole page out loud, and {his} {P} clapped.", "The first word {he} read alone was {his} own name."), ("But the letters danced before {his} eyes, and {he} put the book away.",), ("{he} read the sign on the gate at last. It said: \"Please do not read this sign.\"",)),
    Wish("give a party for everyone", ("It had been a long, grey winter.", "Nobody had danced for weeks."), ("{he} wrote {n} cards and made {food}.", "{he} hung up {color} lights in the trees."), ("They all came, even the shy ones, and they danced until the moon went down.", "There was music and {food}, and nobody wanted to go home."), ("But it rained all night, and nobody came.",), ("Everyone came on the wrong day. So they had two parties.",)),
    Wish("find a name for {his} new pet", ("It was small and round, and it had no name.", "Every name seemed wrong."), ("{he} made a list of {n} names.", "{he} asked everyone {he} met."), ("Then the pet sneezed. \"Achoo!\" And that became its name.", "At last {he} called it Sunny, and it came running at once."), ("But one night the pet ran away, and it never had a name.",), ("The pet looked up and said, \"My name is Frank.\"",)),
    Wish("clean up the {place}", ("There was paper and glass all over the ground.", "The birds had stopped coming."), ("{he} took a sack and began to pick things up.", "{he} put up a sign: \"Help me, please.\""), ("On Sunday the {place} was clean, and the birds came back.", "They filled {n} sacks. Then they all lay down in the grass and looked at the sky."), ("But the next morning it was as dirty as before.",), ("At the bottom of the last sack lay {his} own lost shoe.",)),
    Wish("ride the [big|old|long] train", ("It came by every evening with all its lights on.", "{he} had never been farther than the {place2}."), ("{he} saved every coin in a jar.", "{he} stood at the station with a small bag."), ("\"All aboard!\" The train began to move, and the fields flew by.", "The driver let {him} blow the whistle. Toot!"), ("But {he} came one minute late, and the train was gone.",), ("The train went around in a circle, and {he} got out at home.",)),
    Wish("say sorry to an old friend", ("They had not talked for a year.", "It had been {his} own fault."), ("{he} thought about the right words.", "{he} made some {food} to take along."), ("The friend listened and said, \"I have waited for you.\"", "They did not say much. They just sat side by side, and that was enough."), ("But the house was empty, and the windows were dark.",), ("\"Sorry for what?\" asked the friend. \"I forgot that long ago.\"",)),
    Wish("stop the rain", ("It had rained for {n} weeks.", "Everyone was wet and in a bad mood."), ("{he} shouted at the clouds.", "{he} danced a dance with an umbrella."), ("A small hole opened in the clouds, and the sun put one finger through it.", "The rain stopped, and a rainbow came out."), ("But it rained and rained.",), ("The rain did not stop, so they built boats and had a race down the street.",)),
    Wish("be a hero", ("All heroes in the books were tall.", "{he} had a cape made from a blanket."), ("{he} looked for someone to save.", "{he} stood on a box and waited for danger."), ("A tiny bird fell out of its nest, and {H} put it back. \"My hero!\" said the mother bird.", "Nobody wrote a book about it, but one lost kitten got home that night."), ("But nobody needed {him} that day.",), ("{he} saved a fish from the water. The fish was not happy about it.",)),
)

OBSTACLES: tuple[tuple[str, ...], ...] = (
    ("But a wide river lay in the way.", "The water was fast and cold, and there was no bridge."),
    ("But then a storm came.", "The wind howled, and the rain ran down {his} neck."),
    ("But soon {he} got [tired|hungry|thirsty].", "{his} feet hurt, and {his} bag was empty."),
    ("But the others laughed.", "\"You? Never!\" they said, and that hurt."),
    ("But {he} did not know how.", "{he} tried it this way. {he} tried it that way. Nothing worked."),
    ("But {he} lost {his} way.", "All the trees looked the same, and the light was going."),
    ("But a big [dog|goose|goat] stood in the road and would not let {him} pass.", "\"Nobody goes here!\" it said."),
    ("But {he} [slipped|tripped] and fell.", "{his} knee hurt, and a tear ran down {his} nose."),
    ("But {his} {P} said no.", "\"You are still too small for that,\" {phe} said."),
    ("But then {his} bag broke, and everything fell out.", "It took a long time to pick it all up."),
    ("But at the first try everything went wrong.", "At the second try it went even worse."),
    ("But it was dark, and something made a noise.", "Crack, went a branch. {H} held {his} breath."),
    ("But the gate was locked.", "{he} pulled and pushed, but it did not move."),
    ("But {he} was too shy to ask anybody.", "The words got stuck in {his} mouth."),
    ("But a cold fog came down from the hill.", "{he} could not see {his} own feet."),
)

HELPS: tuple[tuple[Beat, ...], ...] = (
    (("Then {Enew} came along.", "That was when {he} met {Enew}."), ("\"[Don't give up|Try once more|Take your time],\" said {E}.", "{E} listened and nodded slowly. \"I know what to do,\" {ehe} said."), ("{ehe} showed {him} a trick.", "{ehe} gave {him} {a color} ribbon. \"For luck,\" {ehe} said.", "")),
    (("Just then {Fnew} came by.", "{Fnew} had seen everything.", "Who was that behind the tree? It was {Fnew}."), ("\"Let us do it together,\" said {F}.", "\"I can help you,\" said {F}.", "\"What is wrong?\" asked {F}. {H} told the whole story."), ("And two heads are better than one.", "{F} pulled, {H} pushed, and they both laughed.", "")),
    (("{he} sat down and took a deep breath.", "{he} closed {his} eyes and thought of {his} {P}."), ("\"[One step at a time|I can do it|I am small, but I am not weak],\" {he} said to {himself}.", "Then {he} had an idea!"), ("And {he} got up again.", "So {he} tried once more.", "")),
    (("{he} found {a thing2} on the ground.", "In {his} bag {he} still had {a thing2}."), ("Could it be of use? It could!", "\"This is just what I need,\" said {H}."), ("With the {thing2} it was easy.", "")),
    (("{he} heard someone cry. {Fnew} was stuck [under a branch|in the mud|in a net].", "By the road sat {Fnew}, all alone and hungry."), ("{H} stopped and helped at once.", "{H} shared {his} last {food} with {fhim}."), ("\"You were kind to me. Now I will help you,\" said {F}.", "{F} knew a secret way and showed it to {him}.")),
    (("{his} {P} saw it and sat down next to {him}.", "That night {his} {P} told {him} a story."), ("\"When I was small, I fell {n} times,\" said {P}, \"and then it worked.\"", "\"Good things take time,\" said {P}."), ("So {he} waited for the right day.", "The next morning {he} was ready.", "")),
    (("{n} [ants|bees|mice|birds] had watched it all.", "A tiny voice said, \"May we help?\" It was {n} little [ants|mice|birds]."), ("They were small, but they were many.", "Each of them did a little bit."), ("Soon the hard part was over.", "")),
)

LESSONS: Beat = (
    "", "", "", "",
    "Now {he} knew that [small steps go far|asking is not weak|a friend makes the road short|you have to try first].",
    "\"It was hard,\" {he} said, \"but it was worth it.\"",
    "{he} thought of {E} and smiled.",
    "{he} thanked {F} {n} times.",
    "\"We did it!\" cried {F}.",
    "{H} felt {feel}.",
)

SAD_AFTER: Beat = (
    "{H} felt {feelsad}.",
    "\"[Maybe next year|Not today|It was only a dream],\" {he} said.",
    "\"You tried,\" said {his} {P}. \"That is more than most.\"",
    "{he} looked at the ground for a long time.",
    "{F} sat down beside {him}, and they said nothing.",
)

TWIST_AFTER: Beat = ("", "", "{H} laughed until {his} tummy hurt.", "\"That is also fine,\" said {H}.", "{F} could not stop laughing.", "{he} scratched {his} head.")

TELLINGS: Beat = (
    "More than anything, {he} wanted to {wish}.",
    "{he} had one big wish: {he} wanted to {wish}.",
    "{time}, {he} said, \"I want to {wishI}!\"",
    "\"I am going to {wishI},\" {he} told everyone.",
    "{he} often dreamed about it: {he} wanted to {wish}.",
    "Since {he} was very small, {he} had wanted to {wish}.",
    "There was one thing {he} wanted: to {wish}.",
)


def make(rng: random.Random) -> Plot:
    """Joins a wish, one or two obstacles and a help into a plot."""
    wish = rng.choice(WISHES)
    obstacles = rng.sample(OBSTACLES, 2 if rng.random() < 0.25 else 1)
    help_ = rng.choice(HELPS)
    middle: list[Beat] = [TELLINGS]
    if rng.random() < 0.7:
        middle.append(wish.why)
    middle += [wish.start, "\n"]
    for index, (first, second) in enumerate(obstacles):
        middle.append(first if index == 0 else re.sub(r"^But (then |soon )?", "Then ", first))
        if rng.random() < 0.75:
            middle.append(second)
    middle += ["\n", *help_]
    return Plot(
        "quest",
        tuple(middle),
        {"happy": (wish.won, LESSONS), "sad": (wish.lost, SAD_AFTER), "surprising": (wish.twist, TWIST_AFTER)},
        {"wish": (wish.to,), "wishI": (wish.to.replace("{his}", "my"),)},
    )
