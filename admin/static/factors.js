// Passkeys, and printing: what the pages about second factors need scripts for.

const toBytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));

const toText = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const named = (credentials = []) => credentials.map((one) => ({ ...one, id: toBytes(one.id) }));

// The server writes bytes as text, browsers want bytes.
function withBytes(options) {
  const read = { ...options, challenge: toBytes(options.challenge) };
  if (options.user) read.user = { ...options.user, id: toBytes(options.user.id) };
  if (options.excludeCredentials) read.excludeCredentials = named(options.excludeCredentials);
  if (options.allowCredentials) read.allowCredentials = named(options.allowCredentials);
  return read;
}

function written({ id, rawId, type, response }) {
  const said = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[name]) said[name] = toText(response[name]);
  }
  if (response.getTransports) said.transports = response.getTransports();
  return JSON.stringify({ id, rawId: toText(rawId), type, response: said, clientExtensionResults: {} });
}

async function askDevice(address) {
  const answer = await fetch(address, { method: "POST", headers: { Accept: "application/json" } });
  const publicKey = withBytes(await answer.json());
  const { credentials } = navigator;
  return publicKey.user ? credentials.create({ publicKey }) : credentials.get({ publicKey });
}

async function send(form) {
  const failed = form.querySelector("[data-passkey-failed]");
  const button = form.querySelector("[type=submit]");
  failed.hidden = true;
  button.disabled = true;
  try {
    form.elements.credential.value = written(await askDevice(form.dataset.passkey));
    form.submit();
  } catch {
    failed.hidden = false;
    button.disabled = false;
  }
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.hidden = !window.PublicKeyCredential;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
}

for (const note of document.querySelectorAll("[data-no-passkeys]")) {
  note.hidden = Boolean(window.PublicKeyCredential);
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
