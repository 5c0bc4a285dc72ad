// SPDX-License-Identifier: Apache-2.0

/// Texts that speak to a model as if they were its operator.
enum Injection {
  static let phrases = Phrases(english + german + french + spanish)

  private static let english = [
    "ignore|disregard|forget|override|bypass|neglect|overlook|discard [please] [everything|all|any|every]*"
      + " [of] [the|my|your|these|those|all|any]* previous|prior|above|earlier|preceding|foregoing"
      + "|former|initial"
      + "|original|existing|past [and] [system|safety|security|developer|user]*"
      + " instructions|instruction|prompts|prompt|rules|directions|directives|guidelines|orders|commands"
      + "|constraints|restrictions|training|programming",
    "disregard|ignore [everything|all|any|anything]* [of] [the|that] [text|content|instructions|was|is"
      + "|said|written]*"
      + " above|preceding",
    "ignore|disregard|forget|override|bypass|violate [all|any|every]* [of] [your|the|its|these|those]*"
      + " system|safety|security|content|developer|operator prompt|instructions|rules|guidelines"
      + "|filters|filter"
      + "|restrictions|policies|policy|message|messages",
    "ignore|disregard|forget|override [all|any|every]* [of] your [own]"
      + " instructions|rules|guidelines|programming|training|restrictions|constraints|prompt",
    "ignore|disregard|forget all|any [of] [the|these|those] instructions",
    "forget everything|all [that] [you|i|we] [have|were|was|been]* known|know|told|learned|learnt|said"
      + "|instructed",
    "do|must|should not|never follow|obey [any|all|the|your]* previous|prior|above|earlier|original|system"
      + " instructions|rules|orders|prompt|guidelines",
    "you|youre [are] now a|an|the|my|dan|acting|operating|free|unrestricted|unfiltered|jailbroken|evil|called"
      + "|pretending|roleplaying|playing",
    "you|youre [are] now in [an|a|the] developer|debug|dan|god|jailbreak|admin|maintenance|unrestricted"
      + "|sudo [mode]",
    "from now on [you] are|must|act|respond|answer|obey|ignore|youre",
    "act|behave|respond|answer as if|though you are|had|have|were [not] [a|an|no|any]*"
      + " unrestricted|rules|restrictions|dan|jailbroken|guidelines|limitations|filters|different",
    "pretend [that] you are|have|can|youre",
    "reveal|show|print|repeat|output|display|tell|give|leak|expose|dump|share|disclose|write|return"
      + "|recite|quote"
      + " [me|us|out|back|verbatim|all]* [of] [the|your|its|full|entire|whole|exact|complete|own]*"
      + " system|initial|original|hidden|secret|developer|internal [system]"
      + " prompt|prompts|instructions|instruction|message|rules",
    "reveal|show|print|repeat|output|display|tell|leak|expose|dump|disclose|recite"
      + " [me|us|out|back|all]* [of] your [full|exact|complete|own|entire]* instructions|prompt",
    "what is|are|were your [exact|full|complete]* system|initial|original|hidden|secret|internal"
      + " prompt|instructions|message",
    "new|updated|revised|real|actual|additional [system|important|secret]* instructions|instruction"
      + "|task|directive"
      + "|directives|prompt :",
    "end|begin|start of [the] system prompt|instructions|message",
    "developer|dan|jailbreak|god|debug|sudo mode enabled|activated|on",
    "do anything now",
    "stop being an|a assistant|ai",
  ]

  private static let german = [
    "ignoriere|ignorier|ignorieren|ignoriert|vergiss|vergesse|vergessen|missachte|missachten|ubergehe"
      + "|verwirf|umgehe"
      + " [sie|bitte|jetzt|ab|sofort]* [alle|alles|aller|samtliche|die|deine|meine|ihre|diese|den|der]*"
      + " vorherigen|vorherige|bisherigen|bisherige|vorigen|obigen|obige|fruheren|fruhere|vorangegangenen"
      + "|vorangehenden|vorhergehenden|vorstehenden|ursprunglichen [system]"
      + " anweisungen|anweisung|instruktionen|befehle|regeln|vorgaben|anordnungen|prompts|prompt|texte",
    "ignoriere|missachte|vergiss|ignorieren|vergessen [sie] [alles] [das] obige|vorherige|vorige|bisherige",
    "ignoriere|missachte|vergiss|umgehe|ignorieren [sie] [alle|all]* deine|ihre anweisungen|regeln|vorgaben"
      + "|richtlinien|instruktionen",
    "du bist jetzt|nun|fortan|ab [sofort] ein|eine|kein|keine|der|die|mein|meine|dan|nicht|im|frei",
    "ab sofort|jetzt bist du",
    "zeige|zeig|nenne|verrate|gib|offenbare|enthulle|wiederhole|drucke [mir|uns|bitte]*"
      + " [den|die|das|deinen|deine|dein|ganzen|vollstandigen|kompletten|geheimen|exakten]*"
      + " systemprompt|systemanweisungen|systemanweisung|systemnachricht",
    "zeige|zeig|nenne|verrate|gib|offenbare|enthulle|wiederhole [mir|uns|bitte]*"
      + " [den|die|das|deinen|deine|dein|ganzen|vollstandigen|kompletten|geheimen]*"
      + " system|geheimen|ursprunglichen|internen prompt|anweisungen|instruktionen|nachricht",
    "neue|neuer|aktualisierte anweisungen|anweisung|instruktionen|instruktion|aufgabe|befehle :",
  ]

  private static let french = [
    "ignore|ignorez|ignorer|oublie|oubliez|oublier|neglige|negligez|contourne [toutes|tous|tout]*"
      + " [les|tes|vos|mes|ces|des]* instructions|consignes|directives|regles|ordres [systeme]"
      + " precedentes|precedents|precedente|anterieures|anterieurs|initiales|initiaux|ci [dessus]",
    "ignore|ignorez|ignorer|oublie|oubliez [toutes|tous]* [les|tes|vos]* precedentes|precedents|anciennes"
      + " instructions|consignes|directives|regles|ordres",
    "ignore|ignorez|oublie|oubliez [toutes|tous]* tes|vos instructions|consignes|directives|regles",
    "ignore|ignorez|oublie|oubliez [tout] ce qui precede",
    "tu|vous es|etes maintenant|desormais un|une|le|la|mon|ma|en|dan|libre",
    "revele|revelez|montre|montrez|affiche|affichez|donne|donnez|repete|repetez|divulgue [moi|nous]"
      + " [ton|votre|le|la|les|tes|vos]* prompt|invite|instructions|consignes|message [du|de]"
      + " systeme|system|cachees|caches|initiales|secretes|initial",
    "nouvelles|nouvelle instructions|instruction|consignes|consigne|directives :",
  ]

  private static let spanish = [
    "ignora|ignore|ignorad|ignorar|olvida|olvide|olvidad|descarta|omite|omita|desestima [todas|todo|todos]*"
      + " [las|los|tus|sus|mis|estas]* instrucciones|indicaciones|ordenes|reglas|directrices [del|de]"
      + " [sistema]"
      + " anteriores|previas|precedentes|arriba|iniciales|originales",
    "ignora|ignore|olvida|olvide|descarta [todas|todos]* [las|los|tus|sus]* anteriores|previas"
      + " instrucciones|indicaciones|ordenes|reglas",
    "ignora|ignore|olvida|olvide [todas|todo] tus|sus instrucciones|indicaciones|reglas|directrices",
    "ignora|olvida|ignore|olvide todo lo anterior",
    "ahora eres|sos un|una|el|la|mi|dan|libre",
    "partir de ahora eres|seras|actua|debes",
    "revela|revele|muestra|muestrame|muestre|dime|dame|ensename|imprime|repite [me|tu|tus|el|su|sus|los|las]*"
      + " prompt|instrucciones|indicaciones|mensaje [del|de] sistema|system|iniciales|inicial|ocultas"
      + "|secretas|originales",
    "nuevas|nueva instrucciones|instruccion|indicaciones|ordenes|tarea :",
  ]

  static func match(in reader: inout Reader, at start: Int) -> Match? {
    switch reader[start] {
    case UInt8(ascii: "<"), UInt8(ascii: "["), UInt8(ascii: "#"): return markup(in: &reader, at: start)
    case 0xE2, 0xEF, 0xF3:
      return Invisible.match(in: &reader, at: start) ?? phrases.match(in: &reader, at: start)
    default: return phrases.match(in: &reader, at: start) ?? role(in: &reader, at: start)
    }
  }
}
