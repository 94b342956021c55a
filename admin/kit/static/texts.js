// What scripts say, in the language of the page: the page brings the texts, unless they are English.

const brought = document.getElementById("texts");
const texts = brought ? JSON.parse(brought.content.textContent) : {};
const { lang } = document.documentElement;
const rules = new Intl.PluralRules(lang);

const filled = (text, values) => text.replace(/%\((\w+)\)s/g, (_all, name) => values[name]);

export const gettext = (text, values = {}) => filled(texts[text] || text, values);

export function ngettext(singular, plural, count) {
  const forms = texts[singular] || { one: singular, other: plural };
  return filled(forms[rules.select(count)] || forms.other, { count });
}

// Lower case within a sentence, where the language writes nouns so.
export const inSentence = (name) => (lang.startsWith("de") ? name : name.toLowerCase());
