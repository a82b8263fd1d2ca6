"""The plots with a course of their own: what can happen in a story, beat by beat.

Plain data in the language of ``template``. A beat is a tuple of alternatives of which
one is told; an empty alternative leaves the beat out. Each plot ends happy, sad or surprising.
"""

from __future__ import annotations

from .template import Plot

PLOTS: tuple[Plot, ...] = (
    Plot(
        "lost thing",
        (
            ("{he} had {T}.", "More than anything, {he} loved {his} {thingadj} {thing}.", "{his} {P} had given {him} {T}.", "{he} never went anywhere without {his} {thingadj} {thing}."),
            ("{time}, the {thing} was gone.", "{time}, {he} could not find the {thing}.", "{time}, {he} looked for the {thing}, but it was not there.", "Then something bad happened: the {thing} was lost!"),
            ("{he} felt {feelsad}.", "\"Oh no! Where is my {thing}?\" {he} cried.", "{he} looked [under the bed|behind the door|in every corner], but found only {a thing2}.", "Tears came to {his} eyes."),
            "\n",
            ("{Fnew} [heard {him}|came by] and asked, \"[What is wrong|Why are you so sad|What are you looking for]?\"", "{he} went to {Fnew} and asked for help."),
            ("\"I lost my {thing},\" said {H}. \"[Don't worry|We will find it|Let us look together],\" said {F}.", "{F} asked, \"When did you see it last?\" {H} thought hard. \"It was {inplace},\" {he} said.", "{F} had a good nose and a good idea.", "\"Think back,\" said {F}. \"Where did you go?\""),
            ("They looked {inplace}. They looked {inplace2}.", "First they went to the {place2}. Then they went to the {place}.", "They asked {Enew}, but {ehe} had not seen it.", "Together they followed small marks on the ground to the {place}.", "{H} looked high, and {F} looked low."),
        ),
        {
            "happy": (
                ("There it was, [under a leaf|behind a stone|high up in a tree|in a puddle]!", "At last {F} shouted, \"I see it!\" The {thing} was {inplace}.", "And there, {inplace}, lay the {thing}.", "Something shone in the grass. It was the {thing}!"),
                ("{H} [hugged|thanked] {F}. \"[Thank you|You are a true friend]!\"", "{H} jumped for joy.", "They played with the {thing} until the sun went down.", "\"I will never lose it again,\" said {H}."),
            ),
            "sad": (
                ("They looked until it was dark, but the {thing} was gone for good.", "They found only a broken piece of it."),
                ("{F} put an arm around {him}. \"I am here,\" said {F}.", "{H} said goodbye to the {thing} in {his} heart."),
            ),
            "surprising": (
                ("Then {F} started to laugh. \"Look on your head!\" {fhe} said. The {thing} had been there all the time.", "+nest They found it in the nest of {a color} bird. There were {n} eggs in it!", "The {thing} was at home all along. It was {his} {P} who had washed it."),
                ("?nest \"You can keep it for now,\" {H} told the bird.", "-nest {H} laughed too.", "-nest {H} turned as red as a tomato."),
            ),
        },
    ),
    Plot(
        "out of reach",
        (
            ("{time}, {he} saw {T} [high in a tree|on the other side of the river|on top of a wall|on the roof].", "{he} was {inplace} when {he} saw {T}, stuck [on a branch|on the roof|on a high rock].", "{inplace}, {T} hung [from a tall tree|from a pole], just out of reach."),
            ("{he} wanted it so much.", "\"I want that {thing},\" said {H}.", "\"How can I get it?\" {he} asked {himself}.", "It was [too high|too far] for {him}."),
            ("{he} jumped, but {he} was too small.", "{he} tried once. {he} tried twice. {he} tried {n} times.", "{he} threw a stick at it, but the stick got stuck too.", "{he} climbed on a box, but the box broke."),
            "\n",
            ("{Fnew} was watching.", "Along came {Fnew}.", "\"Can I help?\" asked {Fnew}.", "\"You can't do that alone,\" said {Fnew}."),
            ("\"Stand on my back,\" said {F}.", "\"Two are taller than one,\" said {F} with a smile.", "{F} brought a long rope. \"We need to pull together,\" {fhe} said.", "{F} had an idea and whispered it to {H}."),
        ),
        {
            "happy": (
                ("They [pushed|pulled|stretched] as hard as they could, and the {thing} came down.", "It worked! The {thing} fell right into {his} hands.", "Up, up, up {he} went, and {he} got the {thing}."),
                ("\"Now it belongs to both of us,\" said {H}.", "They shared the {thing} all day long.", "{H} gave {F} some {food} to say thank you.", "\"We make a good team!\" said {F}."),
            ),
            "sad": (
                ("But something cracked, and the {thing} fell into the river.", "They pulled too hard, and the {thing} broke in two."),
                ("They watched it float away.", "\"I am sorry,\" said {F}. \"Me too,\" said {H}.", "The two of them sat down and said nothing for a while."),
            ),
            "surprising": (
                ("+eat When they got it, it was not {a thing} at all. It was {a thing} made of chocolate!", "Just then {a color} bird picked up the {thing} and dropped it at their feet.", "+home Then the {thing} moved, and {n} tiny [mice|birds|frogs] looked out."),
                ("?home \"Please leave our house where it was,\" said a small voice.", "?eat They ate it together.", "-home {H} blinked. {F} blinked too."),
            ),
        },
    ),
    Plot(
        "afraid",
        (
            ("But {he} had a secret. {he} was afraid of {fear}.", "There was one thing {he} did not like: {fear}.", "{he} was brave in most things, but not with {fear}."),
            ("{he} told nobody about it.", "The others laughed at {him}.", "\"I wish I was brave,\" {he} often said.", "{he} hid under a blanket whenever {he} thought of it."),
            "\n",
            ("{time}, {Fnew} did not come home.", "{time}, a voice cried for help. It was {Fnew}.", "{time}, {Fnew} was lost {inplace}.", "{time}, {Fnew} was stuck {inplace}."),
            ("To get there, {H} had to face {fear}.", "The way led through {fear}.", "Between them was {fear}."),
            ("Everyone else was away. Only {H} could help.", "\"Somebody must go,\" said {his} {P}.", "{his} heart went boom, boom, boom.", "{his} legs shook and {his} mouth was dry."),
            ("{he} [took a deep breath|closed {his} eyes|counted to {n}] and [went|ran|walked on].", "\"I am scared,\" said {H}, \"but I will go.\"", "{he} sang a song to keep {his} fear small."),
        ),
        {
            "happy": (
                ("{he} found {F} and brought {fhim} home.", "Step by step {he} came closer, and then {he} saw {F}. \"You came!\" said {F}.", "{he} held out a long stick, and {F} held on to it. {he} pulled with all {his} strength."),
                ("\"You are the bravest one I know,\" said {F}.", "\"Being brave is being afraid and going anyway,\" said {his} {P}.", "After that, {fear} did not seem so bad.", "{H} was surprised. {he} had forgotten to be afraid."),
            ),
            "surprising": (
                ("But {F} was not in danger at all. {fhe} was having tea with {Enew}.", "It was only a game! Everyone jumped out and shouted, \"Surprise!\""),
                ("They all laughed and ate {food}.", "\"And I was so brave for nothing!\" said {H}. \"Not for nothing,\" said {F}."),
            ),
        },
        {"fear": ("the dark", "the deep water", "the high bridge", "the big dog", "the thunder", "the dark forest")},
    ),
    Plot(
        "sharing",
        (
            ("{he} had a big plate of {food}.", "{his} {P} made {food} for {him}, a whole basket full."),
            ("\"It is all mine,\" {he} said.", "{he} hid behind a tree so that nobody could see.", "{he} did not want to share.", "{he} held it tight."),
            ("{Fnew} came and asked, \"May I have some?\"", "Soon {Fnew} came by. {fhe} looked hungry.", "{Fnew} stood there and looked at it with big eyes."),
            ("\"No!\" said {H}. {F} went away with {fhis} head down.", "{H} shook {his} head. \"Go away,\" {he} said.", "\"Maybe later,\" said {H}, but {he} did not mean it."),
            "\n",
            ("But it was no fun to be alone.", "{H} looked around. There was nobody to talk to.", "The next day, {H} got hungry, and {F} had some {food2}. {F} shared at once.", "That night {H} could not sleep. {he} thought of {F}.", "{his} {P} said, \"What you share is worth two.\""),
        ),
        {
            "happy": (
                ("So {H} ran after {F}. \"Wait! Please come back!\"", "{H} felt bad. \"I am sorry,\" {he} said. \"Let us share.\"", "In the morning {he} went to {F} and gave {fhim} half."),
                ("It was much more fun together.", "They sat in the sun and shared everything.", "{F} smiled. \"[Thank you|That is kind],\" {fhe} said.", "And do you know what? There was enough for both."),
            ),
            "sad": (
                ("But when {H} went to look for {F}, {F} had moved away.", "{H} ate it all and got a bad stomach ache."),
                ("There was nobody to share with now.", "\"I was not kind,\" {he} thought."),
            ),
        },
    ),
    Plot(
        "gift",
        (
            ("{time}, {he} heard that it was {his} {P}'s birthday.", "Tomorrow was {his} {P}'s birthday, and {he} had no gift.", "{his} {P} was sick in bed, and {H} wanted to cheer {phim} up.", "{his} {P} was sad, and {H} wanted to make {phim} smile."),
            ("{he} had no money.", "\"What can I give?\" {he} wondered.", "{he} looked in {his} pocket. There was only one small coin.", "{he} thought of {a thing2}, but it cost too much."),
            ("{he} asked {Enew}. \"The best gifts are made by hand,\" {ehe} said.", "{Enew} gave {him} some wood and some paint.", "So {he} went to the {place} to look for [flowers|pretty stones|shells|feathers].", "{he} sat down and thought until the sun was low."),
            "\n",
            ("{he} worked all day. {he} cut and glued and painted.", "First {he} made {a thing2}, but it broke. {he} began again.", "It took {n} hours, and {his} fingers got sticky."),
            ("Slowly, slowly, {a color} {thing} grew in {his} hands.", "In the end {he} had made {T}.", "It was {a color} {thing}, and it was not quite straight."),
        ),
        {
            "happy": (
                ("{P} opened it and said, \"Oh!\"", "\"Did you make this {thing} yourself?\" asked {P}. \"Yes,\" said {H} in a small voice.", "\"It is [perfect|beautiful|just what I wanted]!\" said {P}."),
                ("It was the best gift of all.", "The {thing} stands by the window to this day.", "There were hugs, and then there was {food}.", "{H} felt warm inside."),
            ),
            "surprising": (
                ("But when {he} came in, {he} saw the very same {thing} on the table. Somebody else had made one too!", "{P} opened the box, and it was empty! {H} had left the {thing} in the {place2}."),
                ("\"Your hug is my gift,\" said {P}.", "{P} laughed so much that {phe} forgot to be sad."),
            ),
        },
    ),
    Plot(
        "broken thing",
        (
            ("{his} {P} had {T} that nobody was allowed to touch.", "{Fnew} had lent {him} {a thingadj} {thing}.", "On the shelf stood {T}. It was very old."),
            ("\"Be careful,\" {his} {P} had said.", "{he} only wanted to look at it.", "{he} ran through the room too fast.", "{he} wanted to show it to {his} [brother|sister|cousin]."),
            ("Crash! The {thing} fell and broke.", "Then it slipped out of {his} hands. The {thing} broke into {n} pieces.", "Bump! {he} hit the table, and the {thing} fell down."),
            ("{he} hid the pieces [under the bed|behind a box|in a drawer].", "\"Maybe nobody will see it,\" {he} thought.", "{he} did not know what to do.", "{his} face got hot."),
            "\n",
            ("\"Who broke the {thing}?\" asked {his} {P}.", "In the evening {his} {P} asked, \"Have you seen the {thing}?\"", "All day {he} had a bad feeling in {his} tummy. Then {P} asked about the {thing}."),
        ),
        {
            "happy": (
                ("\"It was me,\" said {H}. \"I am sorry.\"", "{H} took a deep breath and told the truth.", "{H} started to cry and told everything."),
                ("\"Thank you for telling the truth,\" said {his} {P}.", "\"A {thing} can be fixed. A lie is harder to fix,\" said {P}.", "{his} {P} was not angry. {phe} gave {him} a hug."),
                ("Together they glued the pieces. It was not the same, but it was theirs.", "The next day they made a new one.", "{H} felt as light as a feather.", ""),
            ),
            "sad": (
                ("\"I don't know,\" said {H}. But {his} {P} found the pieces.", "{H} said nothing, and the cat got the blame."),
                ("{P} was not sad about the {thing}. {phe} was sad about the lie.", "Nobody talked at dinner."),
            ),
        },
    ),
    Plot(
        "lost in the wild",
        (
            ("{time}, {he} went out to look for [berries|mushrooms|flowers|shells].", "{he} followed {a color} butterfly, farther and farther.", "{time}, {he} ran after a ball that rolled and rolled."),
            ("When {he} looked around, nothing looked the same.", "Soon {he} did not know the way home.", "Then the fog came, and {he} could not see the path."),
            ("\"Hello?\" {he} called. Nobody answered.", "{he} sat down on a stone and [cried|listened|tried to think].", "It got darker and colder.", "{his} tummy made a noise. {he} was hungry."),
            "\n",
            ("Then {Enew} came by. \"[Are you lost|What are you doing here], little one?\"", "A light came closer. It was {Enew}.", "{he} heard a soft song. It was {Enew}.", "\"Don't be afraid,\" said a voice. It was {Enew}."),
            ("{E} gave {him} some {food} and {a color} blanket.", "\"Do you hear the river? It runs to your home,\" said {E}.", "\"Look for the brightest star and walk to it,\" said {E}.", "{E} took {him} by the hand."),
            ("They walked over the hill and through the tall grass.", "They walked and walked until {he} saw a light.", "{he} told {E} about {his} {P} as they walked.", ""),
        ),
        {
            "happy": (
                ("At last {he} saw {his} home. {his} {P} ran to meet {him}.", "There was the door, and there was {his} {P}!", "\"There you are!\" cried {his} {P} and held {him} tight."),
                ("{H} turned around to say thank you, and {E} waved.", "{E} stayed for {food2}, and they talked until late.", "\"Next time I will tell you where I go,\" said {H}."),
            ),
            "surprising": (
                ("It was a short walk. {H} had been behind {his} own house all the time!", "+gone When {H} turned to say thank you, {E} was gone. There was only {a color} feather on the path."),
                ("?gone {he} kept it for ever.", "-gone {E} laughed and {H} laughed too."),
            ),
        },
    ),
    Plot(
        "new friend",
        (
            ("{he} was often alone.", "{he} had no one to play with.", "{he} was too shy to talk to the others.", "{he} had just moved here and knew nobody."),
            ("{time}, {Fnew} came to the {place}.", "{time}, {he} met {Fnew} {inplace}.", "{inplace} {he} saw {Fnew} with {a thing2}.", "{time}, there was a knock on the door. It was {Fnew}."),
            ("\"Hello,\" said {F}. {H} hid behind a tree.", "{F} looked different from everyone else.", "\"What is your name?\" asked {F}. {H} looked at {his} feet.", "{F} was as shy as {H}. They looked at each other for a long time."),
            "\n",
            ("Then it started to rain, and {F} held {a color} umbrella over both of them.", "Then a ball rolled to {H}, and {he} rolled it back.", "{H} had some {food}. {he} broke it in two and gave half to {F}.", "{F} made a funny face, and {H} had to laugh."),
            ("\"Do you want to play?\" asked {H}.", "\"I like {things}. Do you?\" asked {F}.", "\"I don't have a friend here,\" said {F}. \"Me neither,\" said {H}.", ""),
        ),
        {
            "happy": (
                ("They [played|talked|laughed] until the stars came out.", "They built a little house of sticks and leaves.", "They found out that they both loved {food}."),
                ("\"See you tomorrow?\" \"See you tomorrow!\"", "Now {H} was not alone any more.", "Now there were two names on the door.", "It is easy to make a friend when one of you begins."),
            ),
            "sad": (
                ("They played all summer. Then {F} had to move away.", "But in the fall {F} had to go to a warm place, far away."),
                ("{F} gave {him} {a thing}. \"So you don't forget me,\" {fhe} said.", "They waved until they could not see each other."),
            ),
        },
    ),
    Plot(
        "race",
        (
            ("{time}, there was a big race {inplace}.", "Every year there was a race {inplace}. The prize was {T}.", "\"There is a race on Sunday,\" said {his} {P}. \"Will you run?\""),
            ("{Fnew} was the fastest of all and told everybody.", "{Fnew} laughed. \"You will never win,\" {fhe} said.", "Everyone thought that {Fnew} would win."),
            ("{H} practiced every day.", "\"I will just do my best,\" said {H}.", "{Enew} told {him}, \"Slow and steady is fast enough.\"", "{his} {P} said, \"Have fun. That is what counts.\""),
            "\n",
            ("Ready, set, go! They ran along the {place} and past the {place2}.", "The whistle blew, and off they went.", "One, two, three, go!"),
            ("+eat {F} was far ahead. Then {fhe} stopped to eat some {food}.", "+hurt Halfway, {F} fell and hurt {fhis} foot.", "+hurt {F} looked back and laughed, and so {fhe} did not see the puddle.", "{H} was tired, but {he} did not stop."),
        ),
        {
            "happy": (
                ("{H} ran on and won the race!", "?hurt {H} stopped and helped {F} up. They crossed the line together.", "{H} came second, but {he} had never run so fast."),
                ("\"You ran well,\" said {F}.", "Everyone cheered for {H}.", "There was {food2} for all the runners.", "{F} never laughed at the others again."),
            ),
            "sad": (("{H} ran as fast as {he} could, but {he} came last.",), ("\"Next year,\" {he} said in a small voice.", "{he} gave {his} number back and went home.")),
            "surprising": (
                ("But the winner was a tiny snail who had started the day before!", "But they both ran the wrong way and ended {inplace2}.", "In the end {his} {P} won, with a basket of {food2} in {phis} hand."),
                ("They laughed so hard that they had to sit down.", ""),
            ),
        },
    ),
    Plot(
        "seed",
        (
            ("{time}, {he} found a tiny {color} seed.", "{Enew} gave {him} a seed. \"Take good care of it,\" {ehe} said.", "{he} got a strange seed at the market."),
            ("{he} put it in the ground and gave it water.", "{he} dug a hole {inplace} and dropped it in.", "{he} planted it in an old boot."),
            ("{he} waited one day. Nothing happened. {he} waited {n} days. Nothing!", "Every morning {he} ran out to look.", "{Fnew} said, \"Nothing will grow there.\"", "{he} sang to it every evening.", "\"Grow! Grow!\" {he} shouted. But a seed can't hear."),
            "\n",
            ("Then the rain came, and after the rain the sun.", "\"Be patient,\" said {his} {P}. \"Good things need time.\"", "{he} wanted to dig it up, but {F} said, \"Wait one more day.\""),
        ),
        {
            "happy": (
                ("And then, {time}, there was a little green leaf.", "One morning a flower stood there, as tall as {he} was.", "It grew and grew until it was a tree with {n} apples."),
                ("{H} danced around it.", "\"You waited so well,\" said {his} {P}.", "Bees and birds came to visit.", "{he} showed it to everyone."),
            ),
            "surprising": (
                ("But what grew was not a flower. It was {a color} {thing}!", "One morning there was a plant with {things} on it!", "It grew so high that nobody could see the top."),
                ("\"How odd!\" said {F}.", "{he} climbed up and waved down to everyone.", "{H} rubbed {his} eyes."),
            ),
            "sad": (("But a cold night came, and the little plant died.",), ("{he} kept the dry leaf in a book.", "\"We will plant a new one in spring,\" said {his} {P}.")),
        },
    ),
    Plot(
        "strange noise",
        (
            ("{time}, {he} heard a strange noise. It went \"{noise}\".", "\"{noise}!\" went something in the night.", "In the middle of the night {he} woke up. \"{noise}!\" What was that?"),
            ("It came from [under the floor|the roof|behind the wall|the kitchen].", "{he} pulled the blanket up to {his} nose.", "\"Is that a ghost?\" {he} whispered.", "{his} ears stood up."),
            ("{he} woke up {Fnew}. \"Did you hear that?\"", "{he} took a lamp and went to look.", "\"{noise}!\" There it was again.", "Slowly {he} walked toward it on {his} toes."),
            "\n",
            ("{he} opened the door a little.", "{he} held up the lamp.", "{his} hand shook as {he} reached for the door.", "{he} counted to {n} and looked."),
        ),
        {
            "happy": (
                ("It was only {a thing} that moved in the wind.", "It was {Enew} who was looking for {food}.", "It was a baby bird that had fallen out of its nest.", "It was {his} {P}, who was snoring!"),
                ("{H} laughed at {himself}.", "\"So that is what you are,\" said {H}, and {he} was not afraid any more.", "{he} made some hot milk and went back to bed.", "\"You can sleep here,\" {he} said kindly."),
            ),
            "surprising": (
                ("+thing There was nothing there. But on the floor lay {T} that had not been there before.", "+party It was {n} mice with {a thing2}, and they were having a party!"),
                ("?thing Since then, the noise comes every night.", "?party \"Would you like to dance?\" they asked.", "{H} closed the door very softly."),
            ),
        },
        {"noise": ("bump, bump", "tap, tap, tap", "crack", "whooo", "plop", "scratch, scratch", "ding")},
    ),
    Plot(
        "boast",
        (
            ("{Fnew} always said that {fhe} was the {best}.", "\"I am the {best} of all,\" said {Fnew} every day.", "{Fnew} liked to boast. \"Nobody is as good as I am,\" {fhe} said."),
            ("{H} only smiled.", "The others got tired of it.", "\"Show us,\" said {H}.", "\"Maybe,\" said {H}, \"and maybe not.\""),
            ("{time}, a big {danger} came.", "Then, {time}, there was a {danger} {inplace}."),
            "\n",
            ("{F} ran away and hid behind {H}.", "{F} shook like a leaf.", "{F} wanted to say something, but no sound came out."),
            ("{H} stayed calm. \"Take my hand,\" {he} said.", "{H} thought quickly and led everyone to a safe place.", "{H} was afraid too, but {he} helped the little ones first."),
        ),
        {
            "happy": (
                ("When it was over, {F} said in a small voice, \"You are the {best} of us.\"", "After that, {F} did not boast for a long time.", "\"I am sorry,\" said {F}. \"I talk too much.\""),
                ("\"We all have good days,\" said {H}.", "{H} gave {fhim} some {food}. \"You are good at many things,\" {he} said.", "They became good friends."),
            ),
            "surprising": (
                ("And what was the {danger}? It was {his} {P} with a big pot on {phis} head!", "Then they saw that the {danger} was only made of paper. It was a play!"),
                ("{F} laughed the loudest.", "Nobody has let {F} forget it."),
            ),
        },
        {"best": ("bravest", "strongest", "fastest", "cleverest"), "danger": ("storm", "fire", "flood", "monster")},
    ),
    Plot(
        "quarrel",
        (
            ("{his} best friend was {F}.", "{he} and {F} were friends and did everything together.", "Next door lived {F}. They played together every day."),
            ("But {time} they had a fight about {T}.", "Then, {time}, both of them wanted the same {thing}.", "{time}, {F} took {his} {thing} without asking."),
            ("\"It is mine!\" \"No, it is mine!\" They pulled and pulled until it broke.", "They shouted and said mean things.", "\"I don't want to see you again!\" cried {H}.", "{F} ran home and slammed the door."),
            "\n",
            ("The next day was long and boring.", "{H} played alone, but it was not the same.", "{H} told {his} {P} about it. \"Who will say sorry first?\" asked {P}.", "{he} looked at the empty chair next to {him}."),
            ("{he} baked {food} and put a note on it: \"Sorry.\"", "So {he} walked to {F}, step by step.", "{he} wanted to say sorry, but it was hard.", "{he} mended the {thing} as well as {he} could."),
        ),
        {
            "happy": (
                ("Halfway there {he} met {F}, who was coming to {him}. \"I am sorry!\" they both said.", "{F} opened the door. {fhis} eyes were red. \"I missed you,\" {fhe} said.", "\"Let us never fight again,\" said {F}. \"Or only a little,\" said {H}."),
                ("They laughed and shook hands.", "They shared the {thing} from then on: one day here, one day there.", "And they played until dark."),
            ),
            "sad": (("But {F} did not open the door.", "But {F} had already found a new friend."), ("{H} put the {thing} down and went home.", "A word is quick to say and slow to take back.")),
        },
    ),
    Plot(
        "small saves big",
        (
            ("{he} was so small that nobody took {him} seriously.", "\"You are too small to help,\" the others said.", "{he} was the smallest one {inplace}."),
            ("{time}, {bignew} got caught in a net.", "{time}, {bignew} fell into a deep hole.", "{time}, {bignew} had a thorn in the foot and cried."),
            ("All the strong ones pulled, but it was no use.", "\"Who can help me?\" cried the {big}.", "Nobody knew what to do."),
            "\n",
            ("\"Let me try,\" said {H}. Some of them laughed.", "{H} looked at it closely. {he} saw what the others had not seen.", "\"I have small hands,\" said {H}. \"That may be good for this.\""),
            ("{he} worked [all night|for hours|bit by bit], and slowly it came loose.", "{he} [pulled|dug|worked] and did not stop.", "{he} slipped through a gap where no one else could go."),
        ),
        {
            "happy": (
                ("Then the {big} was free!", "\"You did it!\" shouted the {big}.", "And out came the {big}, tired but well."),
                ("\"I will never call anyone too small again,\" said the {big}.", "The {big} carried {him} home in triumph.", "From then on, everyone asked {H} for advice.", "\"Small is not weak,\" said {his} {P}."),
            ),
            "surprising": (("Then the {big} laughed. \"I only wanted to see who is kind,\" said the {big}.",), ("And the {big} gave {him} {T}.", "\"That was not funny,\" said {H}. But then {he} laughed too.")),
        },
        {"big": ("lion", "elephant", "bear", "horse", "bull", "giant"), "bignew": ("a big {big}", "a huge {big}", "a mighty {big}")},
    ),
    Plot(
        "magic thing",
        (
            ("{time}, {he} found {T} {inplace}.", "{Enew} gave {him} {T}. \"It is magic,\" {ehe} said. \"Use it well.\"", "In the attic {he} found {T} under a lot of dust.", "At the market {he} got {T} for a single coin."),
            ("When {he} touched it, it began to glow.", "{he} rubbed it, and a small voice said, \"You have {n} wishes.\"", "\"Say what you want,\" said the {thing}."),
            ("First {he} wished for {food}. There it was, a whole mountain of it!", "\"I want to be big,\" {he} said, and {he} grew as tall as a house.", "\"I want it to snow,\" {he} said, and it snowed in the middle of summer.", "\"I wish all my {things2} could talk,\" {he} said, and they all talked at once."),
            "\n",
            ("But soon it was too much.", "At first that was fun. Then it was not.", "But {his} friends got scared and ran away.", "\"Oh dear,\" said {H}. \"What have I done?\""),
        ),
        {
            "happy": (
                ("So {he} used the last wish to make everything as it was before.", "{he} thought for a long time. Then {he} wished that {his} {P} would be well and happy.", "{he} gave the last wish to {Fnew}, who needed it more."),
                ("The {thing} stopped glowing. {he} did not mind.", "\"That was a good wish,\" said the {thing}.", "{he} put the {thing} back where {he} had found it."),
            ),
            "sad": (("When {he} wanted to wish it all away, there was no wish left.",), ("It took {n} days to clean up.", "{he} threw the {thing} into the river.")),
            "surprising": (("\"There is one thing that you should know,\" said the {thing}. \"I am not magic. You were dreaming.\" And {H} woke up.", "The last wish was an accident. \"I wish you were a duck,\" {he} said to the {thing}. Quack!"), ("", "The duck still lives with {him}.") ),
        },
    ),
    Plot(
        "old neighbor",
        (
            ("Next door lived {Enew} who was always alone.", "Near the {place} there lived {Enew}. People said that {ehe} was mean."),
            ("{time}, {his} ball flew over {ehis} fence.", "{time}, {H} saw {ehim} carry a heavy bag.", "{time}, {H} heard {ehim} cough behind the door.", "{his} {P} sent {him} there with a pot of soup."),
            ("{H} was a little afraid, but {he} knocked.", "{he} stood at the door for a long time.", "\"Can I help you?\" asked {H}."),
            "\n",
            ("{E} opened the door and smiled. \"Nobody has come for a long time,\" {ehe} said.", "{E} looked at {him} with friendly eyes. \"Come in,\" {ehe} said.", "\"That is kind of you,\" said {E} slowly."),
            ("Inside there were {things} from all over the world.", "{ehe} knew the best stories.", "They ate {food} and played a game.", "{ehe} showed {him} {a thing} that {ehe} had made {ehimself}."),
        ),
        {
            "happy": (
                ("Now {H} comes every week.", "\"May I come again?\" asked {H}. \"I hope so,\" said {E}.", "From then on {H} helped {ehim} in the garden, and {ehe} helped {him} with {his} homework."),
                ("{E} was not mean at all. {ehe} was only lonely.", "It is good to knock on a door.", "And {ehe} had the best {food2} in town."),
            ),
            "sad": (("In winter the house was empty. {E} had gone to live with {ehis} sister.",), ("{ehe} had left a box for {him}. In it was {T}.",)),
        },
    ),
    Plot(
        "ignored warning",
        (
            ("\"Don't go {inplace2} alone,\" said {his} {P}.", "{his} {P} always said, \"Don't eat things that you don't know.\"", "\"Never touch the {color} door,\" said {his} {P}.", "\"Stay near the house,\" said {his} {P}. \"A storm is coming.\""),
            ("But {H} did not listen.", "\"Yes, yes,\" said {H}, and forgot it at once.", "\"I am big enough,\" thought {H}."),
            ("{time}, {he} did it anyway.", "As soon as {P} was away, {he} did it.", "{Fnew} said, \"Let us not do that,\" but {H} laughed."),
            "\n",
            ("At first it was fun. Then {he} felt dizzy and cold.", "Suddenly it got dark, and {he} did not know where {he} was.", "There was a loud bang, and {he} fell over backwards.", "{he} got stuck and could not move."),
            ("\"Help!\" {he} called. \"Help!\"", "{he} thought of what {his} {P} had said.", "{he} cried for a long time."),
        ),
        {
            "happy": (
                ("{his} {P} heard {him} and came running.", "{Enew} heard {him} and pulled {him} out.", "{P} found {him} at last and carried {him} home."),
                ("\"I should have listened,\" said {H}.", "\"I only want you to be safe,\" said {P}.", "{he} got dry socks and hot soup, and then {he} said sorry."),
            ),
            "sad": (("It was a long night before somebody found {him}.", "{he} had to stay in bed for {n} weeks."), ("\"Now I know why,\" {he} said.", "And {he} missed the big feast.")),
        },
    ),
    Plot(
        "snow day",
        (
            ("{time}, everything was white. It had snowed all night!", "The first snow fell, soft and quiet.", "{he} opened the door, and the snow was as high as {his} knees."),
            ("{he} ran out and built a snowman with {a thing} for a hat.", "{he} and {Fnew} built a snow house.", "{he} slid down the hill on an old tray."),
            ("Then {he} heard a tiny voice. It was a bird that could not fly because of the cold.", "Then {he} saw small foot marks. They led to {Fnew}, who was shaking with cold.", "Then {Fnew} came, sad and without gloves."),
            "\n",
            ("{he} put {his} own scarf around the poor thing.", "\"Come in,\" said {H}. \"It is warm inside.\"", "{he} shared {his} {food}, for there was not much."),
        ),
        {
            "happy": (
                ("They sat by the fire and drank hot chocolate.", "Soon it was warm and could sing again.", "In the evening they all looked at the snow from the window."),
                ("Outside, the snowman seemed to smile.", "\"Winter is warm when you are not alone,\" said {P}.", "When spring came, they went out to play together."),
            ),
            "surprising": (("In the morning the snowman was gone. In his place stood {T} with a note: \"Thank you for the hat.\"", "At night the snowman knocked at the door. \"May I have a cold drink?\" he asked."), ("{H} read it {n} times.", "{H} ran out, but there were only foot marks.")),
        },
    ),
    Plot(
        "birthday",
        (
            ("Today was {his} birthday, but nobody said a word.", "It was {his} birthday. {he} woke up early and waited.", "{he} had counted the days. Now {his} birthday was here at last."),
            ("{his} {P} was busy. {F} was not at home.", "\"Good morning,\" said {his} {P}, and that was all.", "{he} went to {F}, but {F} had no time.", "No cake. No song. Nothing."),
            ("{H} felt {feelsad}.", "\"They forgot me,\" {he} thought.", "{he} walked to the {place} and kicked a stone."),
            "\n",
            ("In the afternoon {he} came home. It was dark and quiet.", "Then {Enew} asked {him} to come to the barn.", "When {he} opened the door, {he} saw nothing at first."),
        ),
        {
            "happy": (
                ("\"Surprise!\" shouted everyone. There were lights and {color} balloons.", "Then all the lights went on. All {his} friends were there!"),
                ("{his} {P} carried in a big cake.", "And in the middle of the table lay {T}, just for {him}.", "\"Did you think that we forgot?\" laughed {P}."),
                ("They danced and ate {food}.", "{he} blew out the candles and wished that every day could be like this.", ""),
            ),
            "surprising": (("{he} looked at the calendar. {his} birthday was tomorrow!",), ("{H} laughed and went to bed early.", "\"Then I can look forward to it once more,\" said {H}.")),
        },
    ),
    Plot(
        "far away thing",
        (
            ("{time}, a {bottle} came to the shore.", "{time}, {he} found a {bottle} {inplace}."),
            ("Inside was a letter. \"Who finds this?\" it said.", "In it was a piece of paper with a few words: \"I am alone on an island. Please write to me.\"", "It held a map with a red cross."),
            ("{he} showed it to {his} {P}.", "{he} read it {n} times.", "{he} ran to {Fnew} and told {fhim} everything."),
            "\n",
            ("They took a boat and rowed for {n} days.", "{he} wrote an answer and threw it into the water.", "{he} packed some {food} and a rope and went off."),
            ("The waves were high, but {he} was not afraid.", "For a long time nothing happened.", "The way was long and the wind was cold."),
        ),
        {
            "happy": (
                ("And at last {he} found {Enew}, who jumped for joy.", "Then, one morning, {Enew} stood at the door with the letter. \"You found it!\" {ehe} said."),
                ("Now they had a friend on the other side of the sea.", "They talked all night, for there was so much to tell.", "\"I knew that somebody would come,\" said {E}."),
            ),
            "surprising": (("The name under the letter was {his} own. {he} had written it when {he} was very small!", "In the end {he} found a chest. In it was {a thing}, and under it a note: \"First!\""), ("What a small world!", "{P} laughed until {phe} cried.")),
        },
        {"bottle": ("green bottle", "small bottle", "tin box", "bottle with a letter")},
    ),
    Plot(
        "first day",
        (
            ("It was {his} first day at school.", "Today {he} went to school for the first time.", "{he} had to go to a new school."),
            ("{he} held {his} {P}'s hand very tight.", "{his} tummy felt funny.", "\"I don't want to go,\" {he} said.", "{his} new bag was almost as big as {he} was."),
            ("The room was full of loud voices.", "The teacher asked {him} {his} name, but no sound came out.", "{he} sat down in the last row."),
            "\n",
            ("Next to {him} sat {Fnew}.", "Then {Fnew} turned around and smiled.", "At lunch {he} saw {Fnew} who sat alone, too."),
            ("\"I am new too,\" {fhe} whispered.", "\"Do you want some of my {food}?\" asked {F}.", "{F} showed {him} {a thing} under the table, and they both giggled."),
        ),
        {
            "happy": (
                ("They learned a song and drew {things}.", "When the bell rang, {he} did not want to go home.", "{he} learned to write {his} name that day."),
                ("\"How was it?\" asked {P}. \"Can I go again tomorrow?\" said {H}.", "The funny feeling in {his} tummy was gone.", "{he} and {F} walked home together."),
            ),
            "surprising": (("Then the teacher looked at {his} paper. {he} was in the wrong school!", "Then {he} saw the teacher's face. It was {Enew} from next door!"), ("\"Stay anyway,\" said {F}.", "And so it was a good day after all.")),
        },
    ),
    Plot(
        "trick",
        (
            ("{time}, {he} was very hungry and saw {Fnew} with a big basket of {food}.", "{Fnew} had a basket of {food}, and {H} wanted it."),
            ("{he} thought of a trick.", "\"I will be clever,\" {he} thought."),
            ("\"Look, your {thing} is in the river!\" cried {H}. When {F} ran to look, {he} took the basket.", "\"There is a monster behind you!\" {he} shouted. {F} dropped the basket and ran.", "\"Let us play hide and seek,\" said {H}. While {F} counted, {he} ran off with the basket."),
            "\n",
            ("But the basket was heavy, and the bottom fell out.", "{he} ate and ate until {he} could not move.", "{he} sat behind a bush and opened the basket."),
        ),
        {
            "happy": (
                ("Then {he} saw {F} cry, and the {food} did not taste good any more.", "{he} saw that there was a note in it: \"For my friend {Hthe}.\""),
                ("{he} went back and said sorry.", "\"I am sorry that I tricked you,\" said {H}. \"Let us eat together.\"", "{he} never played such a trick again."),
            ),
            "sad": (("From then on, nobody believed a word {he} said.", "{he} got a bad stomach ache, and no one came to help."), ("A trick is quick, but trust is slow.", "\"That was not clever,\" said {H} to {himself}.")),
            "surprising": (("Inside the basket there was only a stone. {F} had known about the trick!",), ("{F} stood behind {him} and laughed. \"Shall we share the real one?\"",)),
        },
    ),
    Plot(
        "job well done",
        (
            ("{he} wanted to earn some money for {T}.", "{he} looked for work, for {his} {P} was poor."),
            ("{Enew} said, \"You can help me for one day.\"", "{he} asked {Enew}. \"I have work for you,\" {ehe} said."),
            ("First {he} had to carry {n} big sacks.", "{he} swept the whole yard.", "{he} fed the hens, washed the pots and cut the grass.", "The work was hard, and the sun was hot."),
            ("{he} did not stop to rest.", "{Fnew} called, \"Come and play!\" But {H} said, \"Later.\"", "{he} sang while {he} worked.", "{he} found a gold ring in the dust. {he} gave it back at once."),
            "\n",
            ("In the evening {E} looked at everything.", "When it was done, {E} nodded.", "{E} opened {ehis} purse."),
        ),
        {
            "happy": (
                ("\"You worked well,\" said {E} and gave {him} {n} coins.", "\"You are honest,\" said {E}. \"That is worth more than gold.\""),
                ("{he} bought {a thing} and some {food} for everyone.", "{he} ran home and put the money on the table.", "That evening {he} was tired and proud."),
            ),
            "surprising": (("Instead of money {E} gave {him} an old sack. At home {he} opened it: it was full of {things}!",), ("\"Where did you get that?\" asked {P}.", "And they never had to go hungry again.")),
        },
    ),
    Plot(
        "little cook",
        (
            ("{he} wanted to make {food} for {his} {P}.", "{time}, {he} said, \"Today I will cook.\""),
            ("{he} took a big bowl and a wooden spoon.", "{he} put on {a color} apron that was too long.", "{Fnew} came to help."),
            ("{he} put in some flour, {n} eggs and a lot of sugar.", "{he} mixed and mixed until it was all over {his} nose.", "Was it one cup of salt or one spoon? {he} could not remember."),
            ("Puff! Everything went up in a white cloud.", "It smelled a bit strange.", "The pot began to shake.", "{he} tasted it and made a face."),
            "\n",
            ("{P} came in and looked around. There was flour on the lamp, on the floor and on the cat.", "Then the door opened, and {P} stood there."),
        ),
        {
            "happy": (
                ("\"What a mess!\" said {P}, but {phe} smiled.", "\"For me?\" asked {P}. {phis} eyes were wet."),
                ("They cleaned up together and tried again. This time it was good.", "They ate it all, even the black bits.", "\"It is the best {food} I ever had,\" said {P}."),
            ),
            "surprising": (("It did not taste like {food} at all. But it was very good for fixing chairs!", "The dog ate it all and asked for more."), ("\"You have invented something new,\" said {P}.", "They had bread and cheese instead.")),
        },
    ),
    Plot(
        "cloud",
        (
            ("{time}, a little cloud followed {him}.", "{he} saw a tiny cloud that sat on the ground {inplace}. It was crying."),
            ("\"Why are you [here|sad]?\" asked {H}. \"I lost the big clouds,\" said the little cloud.", "Wherever {he} went, it rained on {him}.", "\"Nobody likes rain,\" said the cloud."),
            ("{he} tied it to a string like a balloon.", "{he} gave it a name: {cloud}.", "{he} took it home, and the whole bed got wet."),
            "\n",
            ("But the cloud got smaller and smaller.", "{his} {P} said, \"A cloud belongs in the sky.\"", "The garden was dry, and the flowers hung their heads."),
            ("So {he} climbed the highest hill with the cloud on {his} back.", "\"I know a place where they need you,\" said {H}.", "{he} asked the wind for help."),
        ),
        {
            "happy": (
                ("The big clouds came, and the little one flew up to them.", "The cloud rained softly on the garden, and all the flowers stood up."),
                ("\"Thank you!\" it called, and a few drops fell on {his} nose.", "On hot days it comes back to give {him} shade.", "When it rains, {he} looks up and waves."),
            ),
            "sad": (("But in the sun it got thinner, and then it was gone.",), ("There was only a small puddle left.", "{he} put a flower in the puddle.")),
        },
        {"cloud": ("Fluff", "Drop", "Puff", "Mist", "Drizzle")},
    ),
    Plot(
        "the wise answer",
        (
            ("{he} had a question: \"{question}?\"", "All day {he} thought about one thing: \"{question}?\""),
            ("{he} asked {his} {P}. \"I am busy,\" said {P}.", "{he} asked {F}, who only laughed.", "{he} asked a stone, but the stone said nothing."),
            ("\"Go and ask {Enew},\" said a bird.", "So {he} went to see {Enew}.", "The way to {Enew} was long."),
            "\n",
            ("{E} thought for a long time.", "{E} looked at the sky.", "\"That is a good question,\" said {E}."),
        ),
        {
            "happy": (
                ("\"{answer},\" said {E}.", "Then {ehe} said, \"{answer}.\""),
                ("{H} thought about it all the way home.", "\"Oh,\" said {H}. That was all, but it was enough.", "\"And who told you?\" asked {H}. \"A child like you,\" said {E}."),
            ),
            "surprising": (("\"I don't know,\" said {E}. \"Shall we find out together?\"", "\"Ask me something easier,\" said {E}. \"What is two and two?\""), ("So they sat down and wondered together.", "They are still thinking about it.")),
        },
        {
            "question": ("Where does the sun go at night", "Why is the sea blue", "Where does the wind live", "Why do the stars shine", "How big is the sky"),
            "answer": ("It waits until we are ready", "Look long enough, and it will tell you", "Some things are there so that we can wonder", "To make you look up", "It is as big as your eyes are open"),
        },
    ),
    Plot(
        "helping hands",
        (
            ("{time}, the wind blew down {his} house.", "{time}, the bridge to the {place} broke.", "After the storm, there was no roof on {his} house."),
            ("\"What now?\" said {his} {P}.", "{H} began to work alone, one stone at a time.", "It was too much work for one."),
            ("{Fnew} came and said, \"I can carry wood.\"", "First came {Fnew} with a hammer.", "{Fnew} asked, \"May I help?\""),
            ("Then came {Enew} with a pot of {food}.", "Then {Enew} came, and {n} others.", "One brought nails, one brought rope, and one brought a song."),
            "\n",
            ("They worked side by side.", "Somebody hit {fhis} thumb, and everybody laughed.", "The sun was hot, but nobody stopped."),
        ),
        {
            "happy": (
                ("In the evening it was done.", "When the moon came up, the work was finished."),
                ("\"Now it is better than before,\" said {H}.", "There was one thing new: a big table with a chair for everyone.", "They all sat down and ate.", "\"Many hands make light work,\" said {P}."),
            ),
            "surprising": (("When they were done, they saw that there was no door!", "It was a fine house. But it stood on the back of a giant turtle, and the turtle began to walk."), ("They had to climb out of the window.", "\"Well, now we can travel,\" said {F}.")),
        },
    ),
    Plot(
        "telling a lie",
        (
            ("{he} liked to make up stories.", "{time}, {he} was bored."),
            ("\"A {beast} is coming!\" {he} cried.", "{he} ran home and shouted, \"I saw a {beast}!\""),
            ("Everyone ran to help, but there was nothing. {H} laughed.", "Even {Enew} came running with a stick. But it was only a joke."),
            ("The next day {he} did it again.", "{he} did it {n} times."),
            "\n",
            ("Then a real {beast} came {inplace}.", "But one evening there was a {beast} for real."),
            ("\"Help! A {beast}!\" cried {H}. Nobody came.", "{he} called and called, but nobody believed {him}."),
        ),
        {
            "happy": (
                ("Only {Fnew} came, just to be sure. Together they chased the {beast} away.", "At last {his} {P} heard that {his} voice was different and ran to {him}."),
                ("\"I will not lie again,\" said {H}.", "\"A joke is only good when all can laugh,\" said {P}."),
            ),
            "sad": (("The {beast} ate all the {food} and broke the fence.",), ("\"If you lie, nobody will believe you when it is true,\" said {P}.", "It took a long time until they trusted {him} again.")),
            "surprising": (("But the {beast} was friendly and only wanted some {food}.",), ("They had a nice evening, but nobody ever believed {him}.",)),
        },
        {"beast": ("wolf", "bear", "lion", "dragon", "tiger")},
    ),
    Plot(
        "different",
        (
            ("{he} was not like the others: {he} had {odd}.", "Everyone looked at {him}, because {he} had {odd}."),
            ("\"That looks silly,\" said {Fnew}.", "The others whispered when {he} came.", "\"Why am I like this?\" {he} asked {his} {P}."),
            ("{he} tried to hide it.", "{he} stayed at home and looked at {himself} in the mirror.", "\"You are just right,\" said {P}, but {he} did not believe it."),
            "\n",
            ("{time}, {F} got lost {inplace} in the dark.", "Then, {time}, a thick fog came, and nobody could find the way."),
            ("They could see {odd} from far away!", "\"Look! I see {odd}!\" somebody cried."),
        ),
        {
            "happy": (
                ("They followed it home, one after the other.", "And so everyone came home safe."),
                ("\"I am glad that you are you,\" said {F}.", "Now they all want to be like {him}.", "{H} never hid it again.", "\"See?\" said {P}."),
            ),
            "surprising": (("And then they saw that each of them had something odd, too.",), ("{F} had two different feet, and nobody had ever seen it.",)),
        },
        {"odd": ("a bright orange nose", "long red ears", "golden spots", "hair that glowed at night", "a big white spot", "very bright green feet")},
    ),
    Plot(
        "bedtime",
        (
            ("It was late, and {H} could not sleep.", "\"Time for bed,\" said {his} {P}. But {H} was not tired at all."),
            ("{he} counted sheep. The last sheep fell over.", "{he} asked for a glass of water. Then {he} asked for another one.", "{he} turned left, and {he} turned right."),
            ("\"Where is my {thing}?\" {he} asked.", "{he} heard the clock tick.", "The moon looked in at the window.", "\"I hear something under the bed,\" {he} said."),
            "\n",
            ("{P} sat down and told {him} about {a thing2} that wanted to be a star.", "{P} sang an old song about the {place}.", "\"Close your eyes and think of the {place},\" said {P}."),
            ("It was warm and soft.", "Outside, the wind hummed along.", "{he} yawned, just a little."),
        ),
        {
            "happy": (
                ("And before the end, {he} was asleep.", "\"And then?\" asked {H}. But {his} eyes were already closed."),
                ("{P} kissed {him} and turned off the lamp.", "{he} dreamed of {color} {things} all night.", "Good night, {Hthe}."),
            ),
            "surprising": (("But it was {P} who fell asleep first!", "Then something came out from under the bed. It was {Fnew}, who could not sleep either!"), ("{H} put the blanket over {P} and smiled.", "They both giggled, and then they slept.")),
        },
    ),
)
