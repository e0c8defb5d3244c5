"""Whether a text speaks of a file that is not there, in the languages of the pages."""

from __future__ import annotations

import re

from mailkit.formats.quoting import unquoted

_LOOKED_AT = 64 * 1024
"""Characters of a text that are looked through."""

# Beginnings of words, or whole phrases; written in lower case. An asterisk stands for
# any ending.
WORDS: dict[str, tuple[str, ...]] = {
    "ar": ("مرفق*", "المرفق*", "أرفقت", "ارفقت"),
    "cs": ("příloh*", "přílož*", "přikládám", "v příloze"),
    "da": ("vedhæft*", "vedlagt*", "bilag"),
    "de": ("anhang", "anhänge*", "anbei", "angehängt*", "beigefügt*", "im anhang"),
    "en": ("attach", "attached", "attaching", "attachment*", "enclosed", "enclosing"),
    "es": ("adjunt*", "anexo*", "archivo adjunto"),
    "fi": ("liite", "liitteen*", "liitteet", "liitteenä", "ohessa"),
    "fr": ("ci-joint*", "pièce jointe", "pièces jointes", "en annexe", "joins", "pj"),
    "he": ("מצורף", "מצורפת", "מצורפים", "צירפתי", "רצ״ב", 'רצ"ב', "בצרופה"),
    "it": ("allegat*", "allego", "in allegato"),
    "ja": ("添付", "同封"),
    "ko": ("첨부",),
    "nb": ("vedlegg*", "vedlagt*"),
    "nl": ("bijlage*", "bijgevoegd*", "bijgesloten", "als bijlage"),
    "pl": ("załącz*", "w załączniku"),
    "pt": ("anex*", "em anexo"),
    "ru": ("вложен*", "прилож*", "прикрепл*", "прилагаю", "во вложении"),
    "sv": ("bifog*", "bilag*", "bifogat"),
    "tr": ("ekte", "ektedir", "ekteki*", "ilişikte*"),
    "uk": ("вкладен*", "додаток", "додатку", "прикріпл*", "у вкладенні"),
    "zh": ("附件", "附檔", "随信附上", "隨信附上"),
}
"""By language."""

_UNSPACED = frozenset(("ja", "ko", "zh"))


def _pattern(language: str) -> re.Pattern[str]:
    words = []
    for word in WORDS[language]:
        ending = r"\w*" if word.endswith("*") else ""
        words.append(re.escape(word.rstrip("*")) + ending)
    joined = "|".join(sorted(words, key=len, reverse=True))
    edge = "" if language in _UNSPACED else r"\b"
    return re.compile(rf"{edge}(?:{joined}){edge}", re.I)


_PATTERNS = {language: _pattern(language) for language in WORDS}


def word_for_file(subject: str, text: str, language: str) -> str:
    """
    The word by which a text of somebody's own says that a file comes along.

    Quoted lines and what is forwarded do not count. English is looked for as well.

    :param language: a language tag (RFC 5646 §2.1); of one that is not known, English.
    :returns: as it was written; empty where there is none.
    """
    own = f"{subject}\n{unquoted(text[:_LOOKED_AT])}"
    spoken = language.lower().partition("-")[0]
    for name in dict.fromkeys((spoken, "en")):
        pattern = _PATTERNS.get(name)
        found = pattern.search(own) if pattern is not None else None
        if found is not None:
            return found[0]
    return ""
