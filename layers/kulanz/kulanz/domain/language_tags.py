"""Language tags as lists have them: BCP 47, and what POSIX, Java and databases make of it.

`pt_BR`, `pt-br`, `PT-BR` and `pt_BR.UTF-8` are one tag. The three letters of ISO 639-2 stand for the two of ISO 639-1
where a language has both, as BCP 47 asks. `German` and `Deutsch` are no tags.
"""

import re
from collections.abc import Iterator

_CODES = (
    "aaaar ababk aeave afafr akaka amamh anarg arara asasm avava ayaym azaze babak bebel bgbul bibis bmbam bnben "
    "bobodtib brbre bsbos cacat ceche chcha cocos crcre cscescze cuchu cvchv cycymwel dadan dedeuger dvdiv dzdzo "
    "eeewe elellgre eneng eoepo esspa etest eueusbaq fafasper ffful fifin fjfij fofao frfrafre fyfry gagle gdgla "
    "glglg gngrn guguj gvglv hahau heheb hihin hohmo hrhrv hthat huhun hyhyearm hzher iaina idind ieile igibo "
    "iiiii ikipk ioido isislice itita iuiku jajpn jvjav kakatgeo kgkon kikik kjkua kkkaz klkal kmkhm knkan kokor "
    "krkau kskas kukur kvkom kwcor kykir lalat lbltz lglug lilim lnlin lolao ltlit lulub lvlav mgmlg mhmah "
    "mimrimao mkmkdmac mlmal mnmon mrmar msmsamay mtmlt mymyabur nanau nbnob ndnde nenep ngndo nlnlddut nnnno "
    "nonor nrnbl nvnav nynya ococi ojoji omorm orori ososs papan pipli plpol pspus ptpor quque rmroh rnrun "
    "roronrum rurus rwkin sasan scsrd sdsnd sesme sgsag shhbs sisin skslkslo slslv smsmo snsna sosom sqsqialb "
    "srsrp ssssw stsot susun svswe swswa tatam tetel tgtgk ththa titir tktuk tltgl tntsn toton trtur tstso tttat "
    "twtwi tytah uguig ukukr ururd uzuzb veven vivie vovol wawln wowol xhxho yiyid yoyor zazha zhzhochi zuzul"
)
"""ISO 639-1 and 639-2: two letters, then the three of the language's own name, and of its English one if others."""

_TWO_LETTERS = {code[:2] for code in _CODES.split()}
_OF_THREE = {code[at : at + 3]: code[:2] for code in _CODES.split() for at in range(2, len(code), 3)}
_TAG = re.compile(r"([a-z]{2,3})((?:-[a-z0-9]{2,8})*)", re.ASCII)


def language_tag(text: str) -> str | None:
    """The tag in lower case with hyphens, in its shortest form; None where the text is no tag of a language."""
    plain = text.strip().partition(".")[0].partition("@")[0].replace("_", "-").casefold()
    found = _TAG.fullmatch(plain)
    if found is None:
        return None
    language = _OF_THREE.get(found[1], found[1])
    return language + found[2] if len(language) > 2 or language in _TWO_LETTERS else None  # noqa: PLR2004 (letters)


def broader(tag: str) -> Iterator[str]:
    """A tag, then the same without its last part, and so on (RFC 4647, lookup): pt-br, pt."""
    while tag:
        yield tag
        tag = tag.rpartition("-")[0]
