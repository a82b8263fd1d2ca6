"""More ways to ask, for training only: templates by family and kind, with choices in square brackets (`phrasing.vary`).

They are written without a look at the test forms' wording; tests/tasks/test_tasks.py holds both to share no run of four words.
"""

from __future__ import annotations

_ARITHMETIC = (
    "[Work out|Figure out|Find|Determine|Get|Do|Evaluate|Answer|Finish] {e}[.|!| for me.| now.]",
    "[Can|Could|Will] you [work out|figure out|find|compute|calculate|do|solve] {e}[?| please?| for me?]",
    "I [have to|must|need to|want to|should] [work out|compute|find|solve|know] {e}.", "[The question|The task|My sum|The exercise|The problem] is {e}.",
    "[What's|What is] the [answer|result|value|solution] [of|to|for] {e}?", "{e}[, please.|, what is it?|, how much?|. What do you get?| equals?| is what?| gives what number?]",
    "[Which|What] number [do you|do we] get [for|from] {e}?", "[Result|Answer|Solution|Value] of {e}?", "[How much|What] [would|will] {e} [be|give|come to]?",
    "[Please|Kindly] [give me|tell me|find|write down|say] [the answer to|the result of|the value of] {e}.", "{e} [makes|gives|is|equals] [what|how much]?",
    "[Complete|Fill in|Finish] this: {e} = [?|...|__]", "[Show me|Give me|Write] the [answer|result] [of|for] {e}.", "[Let's do|Try|Next comes|Now do|Here is] {e}.",
    "I [forgot|don't know|can't work out|wonder about] {e}.", "[Help me with|I need help with|I am stuck on] {e}.",
)

WIDE_FORMS: dict[str, dict[str, tuple[str, ...]]] = {
    "addition": {
        "": (
            *_ARITHMETIC, "[What is|Work out|I need|Find|Tell me|Calculate] the [sum|whole sum] of {l}[.|?]", "Sum of {l}[.|, please.]",
            "[Sum up|Add up|Add together|Combine|Count up] {l}[.|!| please.]", "How [much|many] [do|would] {l} make[ together| in all| in total| altogether|]?",
            "[What|Which number|How much] is {w}[ in all| in total| exactly|]?", "[Add|Sum] these[ numbers| up|]: {l}.", "[The numbers are|I have|Here are|We have] {l}. [Add them|Add them up|What is the sum|What do they make together].",
            "[What happens|What do we get|What comes out] if [I|we|you] add {l}?", "{l}: [what is the sum|add them up|how much together]?", "[Take|Use] {l} and add [them|them up|all of them].",
            "What number is the sum of {l}?", "{w} [makes|is|gives] [what|how much]?", "[Work out|Figure out|Do|Solve] {w}[.|, please.]",
        ),
    },
    "subtraction": {
        "": (
            *_ARITHMETIC, "[What is|Find|Tell me|Work out|I need] the difference [of|between] {a} and {b}[.|?]", "[Subtract|Take away|Take off|Deduct] {b} from {a}[.|, please.]",
            "[What is left|How much is left|What do I have left|How many are left] [of|from] {a} [if|when|after] [I take|you take|we take] [away |off |]{b}?",
            "[I|We|You] [have|had] {a} and [lose|take away|give away|use|spend] {b}. [What is left|How much is left|What do I keep]?",
            "[How much|What] is {a} [less|minus|without|take away] {b}?", "{a} [less|without|minus|take away] {b} [is what|makes|equals|gives]?", "[Work out|Find|Do|Figure out|Solve] {a} minus {b}[.|!]",
            "How big is [the gap|the step] from {b} to {a}?", "By how much does {a} differ from {b}?",
            "[Make|Bring] {a} smaller by {b}.", "[What number|Which number] is {b} [below|under|less than] {a}?", "Begin with {a}[,| and] [subtract|take away|take off] {b}.", "[Lower|Reduce|Decrease] {a} by {b}[.|, please.]",
        ),
    },
    "multiplication": {
        "": (
            *_ARITHMETIC, "[What is|Find|Tell me|Work out|I need] the product of {a} and {b}[.|?]", "Multiply {a} [by|with] {b}[.|, please.| for me.]",
            "[How much|What] [is|makes|are] {a} times {b}[ in all| in total|]?", "{a} [times|multiplied by] {b} [is what|makes|equals|gives what]?", "{a} by {b}[?|, multiplied.|, what is the product?]",
            "[There are|I have|We see|They bring] {a} [bags|boxes|groups|piles|plates] [of|with] {b} each. How many [is that|are there]?",
            "[What do|How many do] {a} [groups|lots|sets|piles] of {b} [make|give|come to]?", "[Take|Use] {a} and multiply [it |]by {b}.", "[If|When] you multiply {a} [and|by|with] {b}, what [is it|comes out|do you get]?",
            "[Work out|Find|Do|Figure out|Solve] {a} times {b}[.|!]", "The numbers are {a} and {b}. [Multiply them|What is the product|Find the product].",
        ),
    },
    "comparison": {
        "": (
            "[Which|What] [one |number |value |]is the {s} [of|in] {c}?", "[Name|Say|Give me|Find|Write|Point to|Show] the {s} [one|number|value] [of|in] {c}.", "From {c}[,| please] [pick|choose|take|tell me|name] the {s}[ one| number|].",
            "[Here are|I see|We have|There are|Look,] {c}. [Which is|What is|Find|Name|Tell me|Give me] the {s}[ one| number|].", "[Numbers|Values|List]: {c}. [Which|What] is the {s}?", "{c}. [The {s}|The {s} one|The {s} number]?",
            "[I need|I look for|We need] the {s} [one|number|value] [of|in|among] {c}.", "{l}: which is {w}?", "[Between|Of] {c}, [which|what] [number|one] is {w}?",
            "[Tell me|Say|Find out] which [number |one |]is {w}, {l}.", "[Can|Could|Will] you [pick|name|choose|say|tell me] the {s} [of|in] {c}?", "{l}[, which is {w}|: {w}| - which one is {w}]?",
            "What [number|value] is {w}[,|:] {l}?", "[Compare|Check|Look at|Take] the numbers {c}. [Which|What] is the {s}?", "[The {s}|The {s} number|The {s} one]: {c}?", "[My|Our] numbers [are|were] {c}. [Which is|What is|Tell me] the {s}[?|.]",
        ),
        "yes_no": (
            "[Do you think|Can we say|Is it right|Is it so] that {a} is {r} than {b}?", "[Say|Tell me] yes or no: is {a} {r} than {b}?", "[Tell me|Say] [if|whether] {a} is {r} than {b}.", "{a} is {r} than {b}. [Right|True|Correct|Yes or no|Is that so|Is that right]?",
            "[Check|Is this true|Is this right|True or not|Am I right]: {a} is {r} than {b}[.|?]", "I [think|say|believe|guess] {a} is {r} than {b}. [Right|Is that true|Am I right|Yes or no]?", "[Could|Can] {a} be {r} than {b}?", "[Is the number|Is] {a} [really |]{r} than [the number |]{b}?",
            "{a} or {b}: is the first [one |number |]{r}?", "[Now|So], is {a} {r} than {b}?",
        ),
    },
    "counting": {
        "letter": (
            "[How many|What number of|Count the] {x} [are in|do you see in|do you find in|are there in] [the word |]{w}?", "[How often|How many times] does [the letter {x}|{x}] [occur|come|come up|stand|show up] in [the word |]{w}?",
            "[Find|Tell me|Give|Say|Write] how many {x}'s are in {w}.", "[Tell me|Find|Give me|Say] the number of [letters |]{x} in [the word |]{w}.", "[Word|The word]: {w}. [How many|Count the] {x}'s[?| please?]",
            "[Take|Check|Read] [the word |]{w}[. How many|: how many] {x}'s [does it have|are there|can you find]?", "Does {w} have any {x}? How many?", "{w}: how often {x}?", "[Count|Find] the letter {x} in {w}, letter by letter.",
            "[Please count|Could you count|Can you count|I want to count|Let's count] the {x}'s in {w}[.|?]", "How many of the letters [of|in] {w} are [an |]{x}?", "the {x} count of {w}",
        ),
        "length": (
            "[How many|What number of] letters has {w} got[?| in all?]", "[Tell me|Find|Give me|Say|Write] how many letters there are in {w}.",
            "[The word|Word|Here is a word]: {w}. [Count its letters|Its length in letters].", "[Please count|Could you count|Can you count|Let's count] [the|all|all the] letters [of|in] {w}[.|?]", "How [long|big] is [the word |]{w}?", "{w}[: the number of letters|, its letters counted|: its length in letters]?",
            "[Find|Tell me|What is] the [number|count] of letters [in|of] {w}[?|.]", "I want to know how many letters {w} has.", "[Length|Letter count] of {w}?",
        ),
        "words": (
            "[How many|What number of] words [do you see|are there|can you count|do you read|stand] here: {s}", "[Please count|Count|Can you count] [the|all|all the] words [here|in this|in this line|of this]: {s}", "[Sentence|The sentence|My sentence|I wrote this]: {s} [How many words|Count its words|How many words has it]?",
            "[Tell me|Say|Find] how many words [this has|are in this|I wrote]: {s}", "[Number|Count] of words[:| in:| here:] {s}", "[This is|Read|Look at] my sentence. {s} How many words [are in it|does it have]?",
        ),
        "repeat": (
            "[How many times|How often] [is {x} in|do I say {x} in|does {x} stand in|do you read {x} in] [this|the list|my list|this row]: {s}?", "[List|The list|My list|Words]: {s}. [How many|How often|How many times] {x}?", "[Please count|Count|Can you count] every {x} in [this list|the list|this|my list]: {s}.",
            "[Tell me|Find|Say] how [many times|often] {x} [is in|comes in|stands in] {s}.", "[I wrote|I saw|There were|We have] {s}. How often {x}?", "[The word|Find] {x} in {s}: how [often|many times]?",
        ),
    },
    "sorting": {
        "": (
            "[Sort|Order|Arrange|Put in order|Place] [these|the|all|all these|my] {k} {o}: {l}.", "[Sort|Order|Arrange|Place|Write|Say|Give] {l} {o}[, please.|.| for me.]", "[Here are|I have|These are|We have|There are|You see] [some |the |my |]{k}: {l}. [Sort|Order|Arrange|Write|Say] them {o}.",
            "[Can|Could|Will|Would] you [sort|order|arrange|list|write] [the {k} |]{l} {o}?", "[The {k} are|{k}:|My {k} are|The list is|List:|Take] {l}. [Sort them|Order them|Put them in order|Arrange them|Sort this|Sort it] {o}.", "{l}. [Sort|Order|Now sort|Please sort|Sorted] {o}[.|, please.]",
            "[I want|I need|I would like|We need|Show me|Give me|Write] [the {k} |]{l} [in order|sorted|ordered|arranged] {o}.", "[What is|What's|Tell me|Show] the [right |correct |]order of {l} {o}[?|.]", "[Order|Sort|Sorting] {o}: {l}[.|]", "[Put|Place|Bring] [the {k} |these {k} |]{l} [in|into] order {o}[.|, please.]",
            "How [would|do|can] [you|I|we] [order|sort|arrange|write] {l} {o}?", "In [which|what] order do {l} come, {o}?", "[Write|Copy|Say|List] [these|the] {k} [again |]{o}: {l}.",
            "[Read|Look at|Use|See] this list: {l}. [Now sort|Sort|Order|Arrange] it {o}.",
        ),
    },
    "spelling": {
        "spell": (
            "[Spell|Spell out|Please spell|Spell me|Now spell] [the word |]{w}[.|, please.|!| for me.]", "[Can|Could|Will|Would] you spell [the word |]{w}[?| for me?| please?]", "How [does one spell|would you spell|do people spell] [the word |]{w}?",
            "[Which|What] letters [are in|make|make up|does one need for|do I need for] {w}?", "[Write|Say|Give me|Tell me|Show me|List|Name] [the letters|all letters|all the letters|each letter] of [the word |]{w}[.| in order.]", "{w}[, letter by letter.|: spell it.|, spelled?|, one letter after the other.]",
            "[Letters|The letters] of {w}?", "[I can't|I don't know how to|Teach me to|Help me] spell {w}.", "[Break|Split|Cut] [the word |]{w} [into|up into] [its |]letters.", "[Word|The word]: {w}. [Spell it|Its letters|Write its letters].",
        ),
        "reverse": (
            "[Write|Say|Spell|Give me|Show me|Tell me|Read] [the word |]{w} [backwards|in reverse|from back to front|from the last letter to the first|the other way round][.|, please.]", "[Can|Could|Will|Would] you [write|say|spell] [the word |]{w} [backwards|around|in reverse|the other way round]?",
            "[What|Which word] [is|do you get from|comes from] {w} [backwards|in reverse|turned around|written backwards]?", "[Reverse|Turn around|Mirror] [the letters of |the word |]{w}[.|, please.|!]", "How [do you|would you|does one] [write|say|spell] {w} [backwards|in reverse]?",
            "{w}[, backwards.|, in reverse.|: backwards, please.|: reverse it.|, the other way round?| turned around?]", "[Backwards|In reverse|Reverse]: {w}[?|.|]", "Use [the word |]{w} and [reverse it|turn it around|write it backwards|say it backwards].", "[The word is|Word:|My word is] {w}. [Write it backwards|Reverse it|Say it in reverse|What is it backwards].",
        ),
        "place": (
            "[What|Which] is the {n} letter [in|of] [the word |]{w}?", "[Give me|Tell me|Say|Find|Name|Write|Show me] the {n} letter [of|in] [the word |]{w}[.|, please.]", "{w}[: which letter is {n}|: the {n} letter|, {n} letter|. What is its {n} letter]?", "[What|Which] letter [comes|is] {n} in [the word |]{w}?",
            "[Look at|Spell] [the word |]{w}. [What|Which] is the {n} letter?", "[I need|I want] the {n} letter of {w}.", "The {n} letter in {w}[ is what|]?",
        ),
        "list": (
            "[Reverse|Turn around|Turn round|Flip around] [these words|the list|my list|this|the order of these]: {s}.", "[Write|Say|Give|List|Name|Read out] [these words|the words|them|this list] [backwards|in reverse|in reverse order|from last to first|from the last to the first]: {s}.", "[Here is a list|My list|List|The words|I have]: {s}. [Reverse it|Say it backwards|Write it in reverse order|Turn it around|Now in reverse].",
            "[Can|Could|Will] you [say|write|list|give] {s} [in reverse order|backwards|from last to first|in reverse]?", "{s}[, in reverse order.|: reverse this.|: now from last to first.|, from last to first?]", "What [is|are] {s} [backwards|from last to first|the other way round]?",
        ),
    },
    "word_problems": {
        "start": ("[First|In the morning|To begin with|Today|Once|Now|On Monday], {n} has {k} {t}.", "{n} [brings|carries|collects|finds|buys|holds|makes|got] {k} {t}.", "In {n}'s [bag|box|basket|hand|pocket] [are|there are] {k} {t}.", "[There are|We see|We count] {k} {t} [with|beside] {n}.", "{n} [has got|is given|is the owner of] {k} {t}."),
        "gain": ("[Then|After that|Next|Soon|Also|And] {n} [gets|finds|buys|collects|wins|receives] {k} more[ {t}|].", "{f} [gives|brings|sends] {k} [more |]{t} to {n}.", "{k} more {t} [come|arrive|are given to {n}|come from {f}].", "{n} [adds|makes|takes] {k} more[ {t}|].", "{n} is given {k} more[ by {f}|]."),
        "lose": ("[Then|After that|Next|Soon|But|And] {n} [gives away|loses|eats|uses|sells|breaks|drops] {k}[ of them| {t}|].", "{n} gives {f} {k}[ of them| {t}|].", "{k} {t} [are lost|are broken|are gone|go to {f}|are given to {f}].", "{f} [gets|borrows|buys|takes] {k} of {n}'s {t}.", "{n} [sends|sells|lends] {k} [of them |]to {f}."),
        "times": ("[Then|Soon|Later|After a week] {n} has {k} times as many.", "{n} makes it {k} times as [many].", "The number [is|gets|becomes] {k} times as big."),
        "share": ("{n} [shares|divides] [them|all of them] equally among {k} friends and is one of them.", "{n} puts them [all |]into {k} equal [groups|heaps|piles] and [takes|keeps] one[ group| of them|]."),
        "left": ("[What|How much] does {n} have [now|at the end|left|after that]?", "How many [{t} |]does {n} [have left|keep|own now|own in the end|still have]?", "[Count|Tell me|Find|Say] how many {t} {n} has [now|at the end|left].", "How many {t} [are there now|is that|remain|does that make]?", "[In the end|Now|Then|So], how many {t} does {n} have?"),
        "groups": ("{n} [has|buys|brings|owns|carries] {j} {g}[ of {t}|]. [Each {c}|Every {c}|Each one|Each] [has|holds] {k} {t}.", "[In each|In every] of {n}'s {j} {g} [there are|are|lie] {k} {t}.", "{n} [puts|packs] {k} {t} into each of {j} {g}.", "{j} {g} with {k} {t} [each|in each|in every one] belong to {n}."),
        "more": ("{n} [owns|gets|found|made|has] {j} {t}, [and|but] {f} [has|got|found] {k} more than {n}.", "{n} has {j} {t}. {f} has the same and {k} more."),
        "fewer": ("{n} [owns|gets|found|made|has] {j} {t}, [and|but] {f} [has|got|found] {k} [fewer|less] than {n}.",),
        "as_many": ("{n} [owns|gets|found|made|has] {j} {t}, [and|but] {f} [has|got|found] {k} times as many[ as {n}|].",),
        "other": ("How many [{t} |]does {f} [own|have now|hold|keep]?", "What is {f}'s [number|count]?", "[Tell me|Find|Say] how many {t} {f} has."),
        "both": ("How many {t} [are there|is that|do both have|do the two have|are there in total|have both of them]?", "[Count|Add up|Sum up] all the {t} of {n} and {f}[.|?]", "What do [both|the two|they] have [in all|in total|together]?"),
        "buy": ("{n} [pays for|gets|orders|wants|needs] {j} {t} [at|for] {k} dollars each.", "{j} {t} go to {n}[, each for {k} dollars|, and each is {k} dollars].", "[In a shop|At the shop|In town], {n} buys {j} {t}. [Each|Each piece] is {k} dollars."),
        "extra": ("{n} [also|then] pays {k} dollars for [the bus|a bag|a card|milk|bread].", "[A hat|A pen|Some bread|A toy] for {k} dollars [comes with it|is bought too].", "[It|That] costs {k} dollars [extra|more] to send."),
        "off": ("[There are|The shop gives|{n} gets] {k} dollars off.", "The price [falls|drops|is lowered] by {k} dollars."),
        "cost": ("[How much|How many dollars] [is that|does it cost|must {n} pay|is it in all|is the price]?", "[What|How much] does {n} [spend|have to pay][ in all|]?", "[Find|Tell me|Say] how much {n} pays."),
        "pay": ("{n} [gives|pays|puts down] {k} dollars. [How much comes back|What is the change|How many dollars come back|How much is left]?", "[Out of|From] {k} dollars, how much [is left|does {n} keep|remains]?"),
    },
    "lookup": {
        "entry:plain": ("{x} [is|has|gets|got|holds|means|goes with] {v}", "{x}[ ... |: number |: value | is number ]{v}", "for {x}[:|,| it is] {v}"),
        "entry:points": ("{x} [scored|won|made|reached|earned|holds|ended with] {v}[ points|]", "{x} = {v} points", "{x}, {v} points"),
        "entry:colour": ("{x} [wants|picked|paints with|chose|has|takes|loves|loves the colour] {v}", "{x} = {v}", "the colour of {x} is {v}", "{x} - {v}"),
        "entry:place": ("{x} [stays|waits|works|plays|sleeps|hides|is now|stands] in the {v}", "{x} went to the {v}", "{x} = {v}", "{x} - {v}"),
        "entry:animal": ("{x} [owns|keeps|feeds|likes|drew|saw|wants|has|picked] the {v}", "{x} = {v}", "{x}: the {v}", "{x} - {v}"),
        "value:plain": ("[Tell me|Give me|Say|Look up|Show me|Write|I need|I want] the [value|number|entry] [of|for|at] {x}[.|, please.]", "[What|Which number|Which value] [is|stands at|is at|is with|goes with|comes with|is written at] {x}?", "[Now|And|So], {x}?", "What does [it|the list] say [for|at|about] {x}?", "{x}'s [number|value|entry]?", "[Find|Read|Search|Check] {x}[.| for me.]"),
        "value:points": ("[Tell me|Give me|Say|Find|I need|Show me] [{x}'s points|the points of {x}|how many points {x} has].", "How many points did {x} [get|make|win|reach]?", "What is {x}'s [points|result|number]?", "And {x}, how many?", "How well did {x} do?"),
        "value:colour": ("[Tell me|Say|Find|Give me|I need] [{x}'s colour|the colour of {x}|which colour {x} has].", "[What|Which] colour [does {x} have|did {x} pick|is {x}'s|is with {x}]?", "And {x}, which colour?"),
        "value:place": ("[Tell me|Say|Find out] where {x} is.", "[What|Which] place is {x} in?", "Where [has {x} gone|did {x} go|does {x} stay|is {x} now]?", "[I look for|I want to meet|I am searching for] {x}. Where?", "And where is {x}?"),
        "value:animal": ("[Tell me|Say|Find|Give me|I need] [{x}'s animal|the animal for {x}|which animal {x} has].", "[What|Which] animal [is {x}'s|is with {x}|did {x} pick|does {x} keep]?", "And {x}, which animal?"),
        "who": ("Who [has|got|holds|goes with|stands with|is with] {v}?", "[What|Which] name [is next to|stands at|belongs with|has|is with] {v}?", "[Tell me|Find|Say|Look up|Give me] [who has|the name with|the name for|the name at] {v}.", "{v}: [who|which name|whose|which person]?", "[The name|Person|Name] [for|with] {v}?"),
        "sum": ("[How much|What] is {x} plus {y}?", "[Add|Sum up|Add up] {x} and {y}.", "[What|How much] do {x} and {y} have [in all|in total|altogether]?", "[The total|The sum|Total|Sum] of {x} and {y}?", "{x} and {y} [in all|in total]: how [much|many]?", "[Find|Tell me|Give me] the [sum|total] of {x} and {y}."),
        "difference": ("[What|How much] is the difference [between|of] {x} and {y}?", "How many more does {x} have than {y}?", "[Subtract|Take] {y} from {x}.", "{x} minus {y}?", "How [far|much] is {x} [above|over|ahead of] {y}?"),
        "whole": (
            "[I have|We have|There is|You get|Read|Study|Take|Remember|Look at] [a|this|the] list[:|.] {l}. {q}", "[Data|Facts|Table|Notes|Entries|Names|What I know|It says|Known][:|.] {l}. {q}", "[Names and values|Who and what|All of it|Here we go|Please read][:|.] {l}. {q}", "{q} [List|Look here|Use this|Data|The list is this|From this][:|.] {l}.",
            "{l}. [Now|So|Question|Tell me][:|.] {q}", "[Listen|Now listen|Look|Think][:|.] {l}. {q}", "[These are the facts|This is the list|This is my list|I wrote a list][:|.]\n{l}.\n{q}",
        ),
    },
    "state": {
        "cup_start": ("[A ball|The ball|A small ball|A red ball] [is|lies|sits|hides] under cup {p}[ of {c}|, and there are {c} cups].", "[I|We|You] [put|hide] [a|the] ball under cup {p} of {c}[ cups|].", "[There are|I have|We see|Here are|You see] {c} cups[ in a row| on the table|]. [The ball|A ball] [is|lies|hides] under [cup {p}|number {p}].", "[Cups|The cups] are numbered 1 to {c}. [The ball|A ball] [is|starts|begins] under cup {p}."),
        "swap": ("[Then|Now|Next|After that|And] [swap|change|switch] [cup {a} and cup {b}|cups {a} and {b}|{a} and {b}|{a} with {b}].", "[I|We|You] [swap|switch|change] [cups {a} and {b}|{a} and {b}|cup {a} with cup {b}].", "[Cup {a} and cup {b}|Cups {a} and {b}|{a} and {b}] [swap|swap places|switch|switch places|are switched].", "{n} [switches|changes] [cups {a} and {b}|cup {a} and cup {b}].", "Cup {a} moves to place {b} and cup {b} moves to place {a}."),
        "cup_ask": ("[Which cup|Under which cup|Where] is the ball [now|in the end|at last|after this]?", "[Tell me|Find|Say|Show me] [where the ball is|which cup hides the ball].", "[Which|What] cup [hides|holds|covers] the ball?", "[Where|Under which cup] do I find the ball?", "The ball is under which cup[ now|]?", "[And now|So], where is it?"),
        "robot_start": ("[The|A|My|Our] [little |small |]robot [begins|starts|stands|is|waits] at ({x}, {y}).", "[On a grid|On the floor|In a room], a robot [is|stands|starts] at ({x}, {y}).", "[Start|Begin] [at|from] ({x}, {y}).", "A robot's place is ({x}, {y})."),
        "move": ("[Then|Next|Now|And|After that] it [goes|moves|walks|rolls|runs|steps] {k} {d}.", "[It|The robot] [goes|moves|walks|rolls] [{k} {s} {d}|{d} {k}|{d} {k} {s}].", "[Go|Move|Walk|Step] [{k} {d}|{d} {k}|{k} {s} {d}].", "{k} {d}."),
        "robot_ask": ("[Where|At which point|At what point] [does it end|is it at the end|does the robot end|is the robot now]?", "[Tell me|Find|Say|Give me] [where it is|its place|the last point|where the robot is].", "[What|Which] point is it at[ now|]?", "Where does it [get to|end|stop|go]?"),
        "bank_start": ("{n} [owns|keeps|saved|holds|starts with|begins with|has] {v} dollars[ in a bank|].", "[There are|We see] {v} dollars in {n}'s [account|bank|purse].", "[First|In the beginning|On Monday], {n} has {v} dollars.", "{n}'s [account|balance] [is at|shows|is] {v}[ dollars|]."),
        "put": ("[Then|Next|Now|After that|And] {n} [puts in|pays in|adds|gets|saves|earns] {k}[ dollars|].", "{n} [gets|earns|brings|pays in|receives|wins] {k}[ dollars| more|].", "Add {k}[ dollars|].", "{k} [more |more dollars |][come|go|flow] in."),
        "take": ("[Then|Next|Now|After that|But] {n} [takes out|spends|pays|uses|loses|gives away] {k}[ dollars|].", "{n} [spends|uses|gives away|loses|draws out] {k}[ dollars| of it|].", "[Take out|Take away|Subtract] {k}[ dollars|].", "{k} [dollars |][leave|are spent|are taken out]."),
        "bank_ask": ("How much [money |]does {n} have[ now| at the end|]?", "What is the balance [now|in the end]?", "[Tell me|Find|Say|Give me] [the balance|how much is left|the amount].", "[The balance|The end balance|New balance]?"),
    },
    "calendar": {
        "later": ("Add {d} to {t}.", "[It is|It's|Now it is|We have] {t}. [In {d}|{d} later|After {d}], [what time is it|what time will it be|what is the time]?", "[A game|A show|A walk|The party|School|My lesson] [starts|begins] at {t} and [takes|lasts|goes on for] {d}. When does it [end|stop]?", "[When|At what time] is {d} after {t}?", "[I|We|They] [start|begin|leave|go] at {t} and [need|take|walk for|play for|read for] {d}. [What time is it then|What is the time after that]?", "{t} and {d} more[. What time is it|: what time]?", "[Tell me|Find|Give me|Work out] the time {d} after {t}."),
        "earlier": ("[Take|Subtract] {d} from {t}.", "[It is|It's|Now it is] {t}. [{d} ago|{d} earlier|{d} before], what time was it?", "[When|At what time] [was|is] {d} before {t}?", "[Tell me|Find|Give me|Work out] the time {d} before {t}.", "[What|Which] time is {d} earlier than {t}?"),
        "between": ("How long is it from {t} [to|until|till] {u}[, in minutes|]?", "[Tell me|Find|Count|Give me] the minutes from {t} to {u}.", "[It|A film|The game|School|The walk] [starts|begins] at {t} and [ends|stops] at {u}. How many minutes does it take?", "[It is|Now it is] {t}. How many minutes [until|till|are left to|are there to] {u}?", "{t} to {u}[, how many minutes|, in minutes|: minutes]?"),
        "day": ("[Today|Now] it is {m}. Which day [comes|will it be|do we have] [in {d}|after {d}|{d} later]?", "[Tell me|Find|Say|Name|Give me] the [day|weekday] {d} after {m}.", "[Start|Begin] [on|with] {m}[ and|,] [count|add] {d}. [Which|What] day is it?", "{m} plus {d}[ is which day|]?", "[If|When] it is {m}, which day comes {d} later?", "{d} after {m}[: which day| is what day|]?"),
        "day_back": ("[Today|Now] it is {m}. Which day was it [{d} ago|{d} before|{d} earlier]?", "[Tell me|Find|Say|Name] the [day|weekday] {d} before {m}.", "{d} before {m}[: which day| was what day|]?", "{m} minus {d}[ is which day|]?", "[Which|What] day [is|was|comes] {d} before {m}?"),
        "month": ("[Tell me|Find|Say|Name|Give me] the month {d} after {m}.", "[Now|Today] it is {m}. Which month [is|comes|will it be] [in {d}|after {d}|{d} later]?", "{d} after {m}[: which month| is what month|]?", "{m} plus {d}[ is which month|]?", "[If|When] it is {m} now, [which|what] month [is|comes] {d} later?", "Add {d} to {m}. [Which|What] month is it?"),
        "date": ("[Tell me|Find|Say|Give me] the date {d} after {m}.", "[Now|Today] it is {m}. Which date [is it|will it be|comes] [in {d}|after {d}|{d} later]?", "{m} plus {d}[ is which date|]?", "[When|On which date] is {d} after {m}?", "[Add|Count] {d} to {m}. [Which|What] date [is it|do you get]?"),
        "words": ("[What|Which] time is {m}[ in numbers|, in numbers| with numbers|]?", "[Tell me|Give me|Show me|Say] {m} [in numbers|in digits|as a time in digits|on a digital clock].", "[It is|It's|The time is] {m}. [Write it|Write that|Write the time] in numbers.", "{m}[, in digits| in digits|: in numbers|]?", "[Turn|Put|Change] {m} into [numbers|digits]."),
    },
    "units": {
        "": (
            "[How many|What number of] {u} [is|are in|do we have in|do you get from|fit in|would be] {q}?", "[Convert|Change|Turn|Bring|Put] {q} [to|into] {u}[.|, please.| for me.]", "[Can|Could|Will] you [convert|change|turn] {q} [to|into] {u}?", "[What|How much] [is|are|would be] {q} in {u}?",
            "[I have|We have|There is|It takes|It is|You see] {q}. [How many {u} is it|How much is it in {u}|What is it in {u}|Give it in {u}][?|.]", "[Tell me|Give me|Say|Write|Find|Show me|I need|I want] {q} in {u}[.|, please.]", "{q} [is|equals|makes|gives|are] how many {u}?", "{q}[, in {u}| into {u}|: how many {u}| as {u}][?|.|]",
            "[In|To|Into] {u}: {q}[?|.]", "[Work out|Figure out|Compute|Calculate] how many {u} [are in|there are in|make up|are] {q}.", "[Unit|Units|Conversion]: {q} to {u}[.|?]", "If [I have|it is|you have] {q}, how many {u} [is that|is it|are there]?", "It says {q} here. How many {u}?",
        ),
    },
    "relations": {
        "in": ("In the {b} [is|lies] the {a}.", "[I|We|They|He|She] [put|saw|left|found] the {a} in the {b}.", "The {a} [is kept|was put|stays|was left|sits|belongs] in the {b}.", "[We know that the|Now the|And the] {a} is in the {b}."),
        "where": ("[Tell me|Say|Find out|I want to know] where the {a} is.", "[Which|What] [place|room] is the {a} in?", "[So|And|Now], where is the {a}?", "Where [must|should|do|can] I look for the {a}?", "[I need|I want|I look for] the {a}. Where is it?", "Where [is the {a} now|does the {a} lie|did the {a} end]?"),
        "goes": ("[Then|Next|After that|Now|Soon] {n} [goes|walks|runs|comes|moves] to the {b}.", "{n} [comes|hurries|steps] to the {b}.", "{n} [goes into|walks into|enters] the {b}."),
        "takes": ("[Then|There|Now|Here] {n} [takes|gets|picks up|finds] the {a}.", "{n} [has|holds|carries|finds and takes] the {a}.", "The {a} is taken by {n}."),
        "drops": ("[Then|There|Now] {n} [drops|leaves|puts down] the {a}.", "{n} [puts the {a} on the floor|leaves the {a} behind|lays down the {a}|does not keep the {a}].", "The {a} is left there by {n}."),
        "is": ("The {r} that {a} has is {b}.", "[We know that|Now,|You know,] {b} is the {r} of {a}.", "{b} is the {r} of {a}.", "{a}'s {r} [is called|has the name|is named] {b}.", "For {a}, the {r} is {b}."),
        "who": ("[So|Now|And], who is {q}?", "[Say|I need|I want to know|Do you know] who {q} is[.|?]", "[What|Which] name has {q}?", "Which [person|of them] is {q}?", "How is {q} called?", "[Work out|Find out|Think:] who is {q}?"),
    },
    "logic": {
        "more": ("{a} is [much |a bit |clearly |]{r} than {b}.", "{b} is [much |a bit |clearly |]{o} than {a}.", "[We know that|You see that|Note that|And] {a} is {r} than {b}.", "Next to {a}, {b} is {o}."),
        "most": ("[So|Now|Then], who is the {s}?", "[Tell me|Say|Find|Give me|Name] the {s}[ one| person| of them|].", "[Which|What] [person|one|name] is the {s}?", "Who of [them|these] is [the |]{s}?", "The {s} [one is who|is who]?"),
        "one_of": ("[Only one|Just one|One] of {l} has {p}.", "[We know that|It is clear that] {m} has {p}.", "[Who has {p}?|Someone has {p}:] It is {m}.", "One person has {p}: {m}."),
        "not": ("[And|But|Also,|Then] it is not {a}.", "[It can't be|It was not|Not] {a}.", "{a} [does not have it|hasn't got it|is out|says no, and that is true].", "{a}'s hands are empty."),
        "who": ("[Tell me|Say|Find out|Work out] who has {p}.", "[Which|What] [person|one|name] has {p}?", "[So|And|Now], who has it?", "Who [keeps|got|holds] {p}?", "Where is {p}: with whom?"),
        "all": ("[Any|Each] of the {a} is [also |]one of the {b}.", "[If something is|Whatever is] one of the {a}, it is one of the {b}.", "The {a} are all {b}.", "[We know that|Note that|It is known that] all {a} are {b}."),
        "all_colour": ("The {a} are [all |all of them |]{c}.", "[Any|Each] of the {a} is {c}.", "[We know that|Note that|It is known that] all {a} are {c}."),
        "no_colour": ("The {a} are [never|not] {c}.", "[We know that|Note that|It is known that] no {a} are {c}.", "You [never see|find no] {c} {a}."),
        "are": ("[Is it true that|Is it so that|Is it right that|Does it follow that] all {a} are {c}?", "Would all {a} be {c}?", "[Tell me|Say] [if|whether] the {a} are {c}.", "[Yes or no|Now|So]: are [all |the |]{a} {c}?", "The {a}: [all {c}|{c}], yes or no?"),
        "if": ("[Each time|Every time|As soon as|In case] {a}, {b}.", "[We know that|Note that] if {a}, [then |]{b}.", "{a} means that {b}.", "{b} when {a}.", "{b} each time {a}.", "From {a} follows: {b}."),
        "fact": ("[Today|Here|And|Also,|It is true that|It is a fact that|I see that|You see that] {a}.", "Fact: {a}."),
        "then": ("[So|Now|Then], is it true that {a}?", "[Tell me|Say] [if|whether] {a}.", "[Is it so|Is it right|Is it clear|Do we know] that {a}?", "[Right or not|True or not|True]: {a}?", "{a}[. Is that true|, yes or no|. Yes or no]?"),
        "true": ("[So|Now|Then], is it true that {a}?", "[Tell me|Say] [if|whether] this is true: {a}.", "[Right or not|True or not|True|Check this]: {a}?", "{a}[. Is that true|, yes or no|. Yes or no|. True or not]?", "[Can I say|Can we say|Is it right to say] that {a}?"),
    },
    "facts": {
        "direct": ("[Tell me|Please tell me|Say|Answer me|I ask you|Now][:|,] {q}", "{Q} [Tell me|Say yes or no|Is it so|Please answer|What do you think|I want to know][.|!]", "[Just yes or no|Yes or no, please|Answer yes or no|True or not|Only yes or no][:|.] {q}", "[I want to know|I need to know|I would like to know|We want to know|I am not sure][:|.] {q}", "[So|And|Well|Now then|OK], {q}", "[I am curious|I forgot|Think about this|Here is a fact question][:|.] {Q}"),
        "claim": ("[Is this|Would this be|Could this be] [true|right|correct]: {s}?", "[Tell me|Say|Check] [if|whether] {s}.", "{S}. [True|Right|Correct|Is it so|Is it|Is this correct|What do you say]?", "[I read|I heard|I was told|I believe|I guess|We learnt|People say] that {s}. [Is it true|Is that so|Right|Is this right]?", "[Do you think|Can we say|Is it a fact|Is it correct] that {s}?", "[Yes or no|True or false|Right or wrong]: {s}[.|?]", "[Fact check|Check this|Statement]: {s}[.|?]"),
        "wrong": ("[Is this|Would this be] [false|wrong|not true|not right]: {s}?", "{S}. Is this [false|wrong|not true]?", "[Is it|Would it be] [not true|not right|a lie|a mistake|incorrect] that {s}?"),
        "count": ("[Here are|I have|Look at|Read] some statements. {l} How many [of them |]are [true|right]?", "{l} [Count the true statements|How many of these are right|How many of them are true|Tell me how many are true][.|?]", "[How many|Tell me how many] of these statements are [right|true][?|:] {l}", "[Check|Look at] each one[.|:] {l} How many are [true|right]?"),
    },
    "tools": {
        "sum": ("[Work out|Figure out|Find|Compute|Do|Solve|Get me|Evaluate] {e}[.|, please.| for me.]", "[With the calculator|Use a tool|Use your calculator|Use your tools][:|,] {e}.", "[Can|Could|Will] you [calculate|work out|find|do|solve] {e}?", "[What's|What is] the [answer|result|value] of {e}?", "[I need|I want|Give me|Tell me] [the result of |]{e}.", "{e}[, please.|, how much is it?| equals?| is what?]"),
        "story": ("[There are|We have|They sell|I count] {b} [boxes|bags|trucks|rows] with {a} {t} each. How many {t} [is that|are there]?", "[Each|Every] of {b} [boxes|bags|shops|trucks] has {a} {t}. How many {t} [in all|in total|together|are there]?", "{n} [makes|sells|packs|counts] {a} {t} [each|every|a] day. How many in {b} days?", "{n} pays {b} dollars for each of {a} {t}. How [much|many dollars] is it?"),
        "time": ("[Tell me|Say|Give me|I need|Show me] the [time|current time][.|, please.]", "What [does the clock say|does your clock say|is the time|time do we have][ now| please|]?", "[Do you know|Do you have|Could you tell me] [the time|what time it is]?", "[Check|Read|Ask] the clock[.| for me.| please.]", "[clock|time now|current time]?"),
        "date": ("[Tell me|Say|Give me|I need|Show me] [the date|today's date|the date of today][.|, please.]", "What [is today's date|date is it]?", "[Do you know|Could you tell me] [the date|which date it is|what date it is]?", "[Today's date|The date|The date now]?"),
        "month": ("[Tell me|Say|Give me|Name] the month[ we have| now|][.|, please.]", "[What|Which] month [do we have|is it today|is this]?", "[The month|This month|The month now]?"),
        "year": ("[Tell me|Say|Give me|Name] the year[ we have| now|][.|, please.]", "[What|Which] year [do we have|is it today|is this]?", "[The year|This year|The year now]?"),
        "part": ("[Is it|Are we] before [noon|12:00|midday][ now| yet|]?", "Is it [still|now] [morning|before noon]?", "[Tell me|Say] if it is [morning|before noon]."),
        "until": ("How many minutes [do I have|do we have|do I wait|must I wait] until {u}[, in minutes|]?", "[Tell me|Find|Count] the minutes [until|till|to|up to] {u}.", "[The train|The film|School|My class|The party] [starts|begins|is|leaves] at {u}. How many minutes [are left|until then]?", "How far off is {u}, in minutes?", "{u} is [my time|the end|the start]. How many minutes until then?"),
        "since": ("[Tell me|Find|Count] the minutes since midnight.", "How many minutes [are over|are gone|have gone by|went by] [today|since midnight|since the day began]?", "How many minutes is it [since|after|past] midnight[ now|]?", "[Since|From] midnight, how many minutes [is it|are over|have passed]?"),
        "more": ("[What|Which] is [larger|bigger|more|greater]: {e} or {f}?", "[Tell me|Find|Say|Pick] the [larger|bigger|greater] of {e} and {f}.", "{e} or {f}[: which is more|, which is larger|, which is bigger]?", "Which of {e} and {f} is [more|larger|greater]?"),
        "gap": ("[Tell me|Find|Give me|Work out] the difference [of|between] {e} and {f}.", "[By how much|How far] is {e} [above|over|more than] {f}?", "How much [larger|bigger|greater] is {e} than {f}?", "Subtract {f} from {e}."),
    },
}


def wide(family: str, kind: str = "") -> tuple[str, ...]:
    """The wide forms of one kind of question in a family."""
    return WIDE_FORMS[family][kind]
