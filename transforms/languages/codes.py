"""Language codes as platforms write them, and the ISO 639-1 code that each means."""

from __future__ import annotations

from typing import Final

#: A language that could not be told; such a text is scored.
UNDETERMINED: Final = "und"

#: ISO 639-1 (https://www.loc.gov/standards/iso639-2/php/code_list.php).
_ISO_639_1: Final = (
    "aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en "
    "eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja "
    "jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb "
    "nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq "
    "sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu"
)
ISO_639_1: Final = tuple(_ISO_639_1.split())

#: Older codes, codes of three letters, and the two written standards of Norwegian, which short texts do not tell apart.
_OTHERS: Final = (
    "in:id iw:he ji:yi jw:jv mo:ro "
    "nb:no nn:no nob:no nno:no nor:no fil:tl tgl:tl cmn:zh yue:zh zho:zh chi:zh eng:en deu:de ger:de "
    "spa:es fra:fr fre:fr por:pt ita:it nld:nl dut:nl swe:sv dan:da fin:fi pol:pl ces:cs cze:cs slk:sk slo:sk hun:hu "
    "ron:ro rum:ro tur:tr ind:id msa:ms may:ms vie:vi cat:ca hrv:hr srp:sr rus:ru ukr:uk bul:bg ara:ar fas:fa per:fa "
    "urd:ur heb:he hin:hi jpn:ja kor:ko tha:th ell:el gre:el"
)

#: What says that there is no language to tell: ISO 639-2's own, and X's for mentions, tags, cards, media and very
#: short texts (https://docs.x.com/x-api/fundamentals/data-dictionary).
_NONE: Final = "und zxx mul mis art qam qct qht qme qst"

#: Code as a platform writes it, in lower case and without region or script -> ISO 639-1 code or 'und'.
MEANINGS: Final = (
    {code: code for code in ISO_639_1}
    | {pair.split(":")[0]: pair.split(":")[1] for pair in _OTHERS.split()}
    | dict.fromkeys(_NONE.split(), UNDETERMINED)
)
