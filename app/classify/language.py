"""Which language a message is written in, or None where that is not clear. Pure; about 10 to 40 us a message.

The script settles most of the world. Languages in Latin letters are told apart by their commonest words; where these
are too few or point both ways, nobody guesses and the LLM's answer fills the gap.
(A trained detector, py3langid, was measured: it adds 80 MB to every process, too much for what a language code is for.)
"""

import re
from collections import Counter

LOOKED_AT = 400  # characters
ENOUGH = 2.0  # points: two common words of one language, or one of its own letters and a word
LEAD = 1.6  # times the points of the second language

LETTERS = re.compile(r"[^\W\d_]")
NOISE = re.compile(r"https?://\S+|\S+@\S+|[#@]\w+")
# A character of these says about as much as three Latin letters; product names in Latin letters are common beside them.
DENSE = 3
SCRIPTS = {
    "ja": re.compile(r"[\u3041-\u30fa]"),
    "zh": re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"),
    "ko": re.compile(r"[\uac00-\ud7a3]"),
    "th": re.compile(r"[\u0e01-\u0e4e]"),
    "ar": re.compile(r"[\u0621-\u06d3]"),
    "ru": re.compile(r"[\u0400-\u052f]"),
    "he": re.compile(r"[\u05d0-\u05ea]"),
    "el": re.compile(r"[\u0370-\u03ff]"),
}
# Letters that another language of the same script has and the script's own does not. None: a language we do not name.
NEIGHBOURS = {
    "ar": ((re.compile(r"[ٹڈڑںے]"), "ur"), (re.compile(r"[پچژگک]"), "fa")),
    "ru": ((re.compile(r"[ўђћљњџјәғқңөұүһ]", re.I), None), (re.compile(r"[іїєґ]", re.I), "uk")),
}
OWN_LETTERS = {
    "de": re.compile(r"ß"),
    "es": re.compile(r"[ñ¿¡]"),
    "pt": re.compile(r"[ãõ]"),
    "pl": re.compile(r"[łśźżąęńć]"),
    "tr": re.compile(r"[ığş]"),
    "vi": re.compile(r"[ơưđạảấầẩậắằặẹẻếềểệỉịọỏốồổộớờởợụủứừửựỳỷ]"),
}
# Danish and Norwegian compete, so that they are not taken for Swedish; between themselves they mostly tie.
COMMON = {
    "en": "the a an and is are was to of in it for my i you your not have has this that with on can do does what "
    "how why please when from but been be at me we they or if there would could get still hello hi don't i'm "
    "it's",
    "de": "der die das und ist nicht ich sie wir ein eine einen mein meine meiner mit für auf den dem es zu von "
    "habe hat wie was kann bitte noch wenn aber wurde ihr mir mich warum auch als im am wird sind oder nach "
    "hallo schon",
    "fr": "le la les et est pas je vous nous un une mon ma mes de du des que qui pour dans sur avec il elle ne ce "
    "cette comment pourquoi bonjour merci j'ai c'est ai été plus mais votre au par s'il depuis toujours ça",
    "es": "el la los las y es no me mi un una de del que para por con en se lo su está están cómo qué pero muy ya "
    "como puedo puede pueden quiero hola gracias tengo cuando todavía favor al sin mis más esto he ha porque",
    "it": "il lo la i gli le e è non mi mio mia un una di del della che per con in sono ho ha come perché ma ciao "
    "grazie posso voglio ancora quando più questo questa alla si vostro buongiorno dal nel anche se",
    "pt": "o a os as e é não me meu minha um uma de do da que para por com em no na eu você vocês está como mas "
    "muito já posso quero olá obrigado quando ainda favor foi ao sem mais isso tem porque fui bom",
    "nl": "de het een en is niet ik je jij u wij mijn van voor met op aan dat dit die er hoe wat kan kunt nog maar "
    "waarom hallo bedankt heb heeft als naar bij om ook al wil geen zijn werd mij graag",
    "pl": "i w z na nie się jest to że do mi mój moja moje jak co czy ale dla po od już tak proszę dzień dobry mam "
    "mogę chcę gdy kiedy jestem dlaczego został za przez są nadal mnie dziękuję",
    "tr": "ve bir bu için ile ne nasıl neden çok ama var yok değil mi mı ben siz bana benim merhaba lütfen daha "
    "gibi olarak istiyorum her iki kez hala hâlâ oldu teşekkürler sipariş hiç kadar en",
    "id": "yang dan di ini itu saya tidak untuk dengan ke dari ada bisa sudah belum apa bagaimana kenapa tolong "
    "kami anda akan tapi juga kalau sebagai mau kali karena halo terima kasih lagi sampai pada nya dalam",
    "vi": "tôi của không là và có cho được các bạn này một những đã bị khi thì với rồi chưa vẫn sao để làm xin chào "
    "nếu trong ra lại muốn gửi cảm ơn",
    "sv": "och är inte jag det att en ett mitt min mina för på med av som har kan ni vi hur varför till om men den "
    "var hej tack vill från när ha också här skulle er i blivit alla någon",
    "da": "og er ikke jeg det at en et mit min mine for på med af som har kan i vi hvordan hvorfor til om men den "
    "var hej tak vil fra når også her skulle blev hvad",
    "no": "og er ikke jeg det at en et mitt min mine for på med av som har kan vi hvordan hvorfor til om men den "
    "var hei takk vil fra når også her skulle ble hva",
}


def _points() -> dict[str, dict[str, float]]:
    """word -> language -> points; a word shared by several languages is worth less to each of them."""
    speakers: dict[str, list[str]] = {}
    for language, words in COMMON.items():
        for word in words.split():
            speakers.setdefault(word, []).append(language)
    return {word: {language: 1 / len(known) ** 0.5 for language in known} for word, known in speakers.items()}


POINTS = _points()
LATIN_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


def detect(text: str) -> str | None:
    """ISO 639-1 code, or None when unsure."""
    text = NOISE.sub(" ", text[:LOOKED_AT])
    if not text.isascii():
        script = _script(text)
        if script is not None:
            return _neighbour(script, text)
    return _by_common_words(text.lower().replace("’", "'"))


def _script(text: str) -> str | None:
    """The language whose script makes up most of the text, if that script is not Latin."""
    counts = {language: len(letters.findall(text)) for language, letters in SCRIPTS.items()}
    if counts["ja"]:  # Japanese always mixes kana with Chinese characters, Chinese never does
        counts["ja"] += counts.pop("zh")
    language = max(counts, key=counts.__getitem__)
    weight = DENSE if language in ("ja", "zh", "ko", "th") else 1
    others = len(LETTERS.findall(text)) - counts[language]
    return language if counts[language] * weight > others else None


def _neighbour(script: str, text: str) -> str | None:
    for letters, language in NEIGHBOURS.get(script, ()):
        if letters.search(text):
            return language
    return script


def _by_common_words(text: str) -> str | None:
    score: Counter[str] = Counter()
    for word in LATIN_WORD.findall(text):
        for language, points in POINTS.get(word, {}).items():
            score[language] += points
    if not text.isascii():
        for language, letters in OWN_LETTERS.items():
            score[language] += min(2, len(letters.findall(text)))
    (best, most), (_, second) = (*score.most_common(2), ("", 0.0), ("", 0.0))[:2]
    return best if most >= ENOUGH and most >= LEAD * second else None
