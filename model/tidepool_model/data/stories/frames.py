"""What stands around a plot: openings, details, closings, titles, and requests for stories.

Plain data in the language of ``template``.
"""

from __future__ import annotations

from collections.abc import Mapping

from .template import Beat

OPENINGS: Beat = (
    "Once upon a time, there was {H}.",
    "Once upon a time, there was {H} who lived {Hhome}.",
    "Once upon a time, {H} lived {Hhome}.",
    "Once there was {H} who lived {Hhome}.",
    "There once was {H} who [loved|liked] {food}.",
    "Long ago, {H} lived {Hhome}.",
    "{H} lived {Hhome}.",
    "{Hhome} lived {H}.",
    "In a land far away, there lived {H}.",
    "This is the story of {H}.",
    "Do you know {H}? [Well, listen.|Let me tell you about {him}.|No? Then listen.]",
    "{time}, {H} woke up and looked outside. {weather}.",
    "{time}, {H} sat {inplace}. {weather}.",
    "It was early, and {H} was [already up|wide awake|hungry]. {weather}.",
    "Not far from here, {Hhome}, there lived {H}.",
    "When {weather}, {H} liked to be {inplace}.",
    "Everybody {inplace} knew {H}.",
    "Nobody knew much about {H} who lived {Hhome}.",
    "Many years ago there was {H}. {he} lived {Hhome}.",
    "It all began when {H} [sneezed|woke up late|looked out of the window|had an idea].",
    "Let me tell you about {H}.",
    "There was a time when {H} was the [smallest|youngest|loudest|quietest] {inplace}.",
    "If you had walked by the {place} that day, you would have seen {H}.",
    "{weather}, and {H} was in a good mood.",
    "{H} had [a big heart and small feet|big eyes and a loud laugh|a soft voice and a good head|many questions and few answers].",
    "In a [small|quiet|busy|sunny] [town|village|valley], there lived {H}.",
    "On the edge of the {place}, there was a little house. In it lived {H}.",
)

DETAILS: Beat = (
    "{he} had {a thing2} that {he} took everywhere.",
    "{he} liked {food2} more than anything else.",
    "Every day {he} [walked|went|ran] to the {place2} and back.",
    "{he} was never [late|angry|bored] for long.",
    "{his} favorite color was {color}.",
    "{he} [always|often] hummed a little song.",
    "{he} lived with {his} {P}.",
    "People said that {he} asked too many questions.",
    "{he} had {n} friends and one very big dream.",
    "In the evening {he} liked to count the stars.",
    "{he} slept in a bed of [leaves|soft hay|old coats].",
    "{his} {P} called {him} \"my little [star|bean|sunshine|drop of rain]\".",
    "{he} kept {n} {things2} in a box.",
    "{he} could whistle better than any bird.",
    "{he} was small, but {his} voice was big.",
    "{he} had a warm {color} coat and a good heart.",
    "{he} always said \"please\" and \"thank you\".",
    "Nobody could [laugh|run|sing|jump] like {him}.",
    "{he} did not like to get up in the morning.",
    "On {his} door hung a sign: \"Come in!\"",
)

CLOSINGS: Mapping[str, Beat] = {
    "happy": (
        "From that day on, {he} and {F} were [the best of friends|always together].",
        "{H} [smiled all the way home|went to sleep with a smile|was very happy].",
        "And they all lived happily ever after.",
        "It was the best day of {his} life.",
        "{H} [never forgot|always remembered] that day.",
        "The end.",
        "That night {he} dreamed of {color} {things}.",
        "\"What a [day|lovely day|wonderful day]!\" said {H}.",
        "Everyone [cheered|clapped|laughed], and then they ate {food2}.",
        "{his} {P} hugged {him} and said, \"I am proud of you.\"",
        "Since then, {he} has told this story to everyone who will listen.",
        "And {he} fell asleep before the moon came up.",
        "That is how {H} learned to [trust a friend|wait|try again|listen|ask for help].",
        "The sun went down, and all was well.",
        "{he} felt {feel}, from {his} head to {his} toes.",
        "Even the birds sang a bit louder that evening.",
        "Now you know why {H} always smiles.",
        "\"Can we do it again tomorrow?\" asked {H}.",
    ),
    "sad": (
        "{H} cried a little that night.",
        "It was very quiet {inplace} after that.",
        "{he} still thinks of it when it rains.",
        "Some days are sad, and this was one of them.",
        "{he} walked home alone.",
        "{he} had learned a hard lesson.",
        "{his} {P} held {him} close and said nothing.",
        "{he} felt {feelsad} for a long time.",
        "The wind blew, and the lights went out.",
        "\"Next time I will do better,\" {he} said softly.",
    ),
    "surprising": (
        "Nobody had expected that!",
        "{H} could only laugh.",
        "And to this day nobody knows how it happened.",
        "\"Well,\" said {H}, \"that was strange!\"",
        "What a surprise!",
        "Even {his} {P} could not believe it.",
        "{he} looked up and [winked|laughed|shook {his} head].",
        "Would you have guessed it?",
        "If you don't believe it, ask {H}.",
        "And that is the truth, or almost.",
    ),
}

TITLES = (
    "The {thing}", "{Hthe} and the {thing}", "{Hthe} and {Fthe}", "The {thingadj} {thing}", "A day {inplace}",
    "The {Hnoun} {inplace}", "The {Hadj} {Hnoun}", "What {Hthe} did", "{Hthe} and the {place}", "A story of {Hthe}",
    "{Hthe}'s big day", "The {Hnoun} and the {Fnoun}",
)

REQUESTS = (
    "Tell me a story about @about@end.",
    "Tell me a [short|little|nice|simple|bedtime] story about @about@end.",
    "Can you tell me a story about @about@end?",
    "Write a story about @about@end.",
    "Write a [short|small|little|nice] story about @about@end.",
    "Please tell me a story about @about@end.",
    "I want [a story|to hear a story|to read a story] about @about@end.",
    "I'd like a story about @about@end[.|, please.]",
    "Could you write me a story about @about@end?",
    "Make up a story about @about@end.",
    "A story about @about@end, please.",
    "A story about @about@end",
    "Tell a story with @about@end.",
    "My [son|daughter|little brother|little sister|child] wants a story about @about@end.",
    "[Hi|Hello]! Can you tell me a story about @about@end?",
    "Story time! I want @about@end.",
    "Give me a [bedtime|short|little] story about @about@end.",
    "I can't sleep. Tell me a story about @about@end.",
    "Do you know a story about @about@end?",
    "Write something short about @about@end.",
    "Invent a story about @about@end.",
    "Tell us a story about @about@end.",
    "Write a few sentences about @about@end.",
    "story about @about@end",
    "a story with @about@end",
    "Could I have a story about @about@end?",
    "I need a short story about @about@end.",
    "Tell me what happened to @about@end.",
)

OPEN_REQUESTS = (
    "Tell me a story[.|!|, please.]", "[tell|Tell] me a [short|nice|funny|little] story[.|]", "A story[, please.|!|.]", "Can you tell [me |]a story?",
    "Tell me [another|one more|any|a new] story[.|]", "I want a story[.|!]", "Write a [short |little |]story.", "Do you know [a story|any stories]?",
    "Read me a story.", "Once upon a time", "Make up a story.", "story please", "Tell me a bedtime story.", "Surprise me with a story.",
)

END_WISHES = (
    ", with a @ending [end|ending]", " with a @ending [end|ending]", " that has a @ending end", ". Make the end @ending", " and make the end @ending",
)
