// The login form. The secret becomes a signing key of the browser and is then forgotten, unless the
// user wants it kept in this tab (sessionStorage ends with the tab).

import { byId, say } from "./dom.js";
import { Signer } from "./signing.js";

const KEPT = "tanshi.key";
const WHY = {
  bad_credentials:
    "The venue refused: the key id or the secret is wrong, " +
    "or this computer's clock is off by more than a minute. 密钥或口令错误",
  key_changed: "This key was changed or taken away. 密钥已变更",
};

export class Login {
  constructor(app) {
    this.app = app;
    this.dialog = byId("login");
    this.field = {
      key: byId("login-key"),
      secret: byId("login-secret"),
      keep: byId("login-keep"),
      leaving: byId("login-leaving"),
      encoding: byId("login-encoding"),
    };
    byId("login-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    byId("login-look").addEventListener("click", () => this.dialog.close());
    byId("log-in").addEventListener("click", () => this.open());
    byId("log-out").addEventListener("click", () => {
      sessionStorage.removeItem(KEPT);
      app.trading.logOut();
    });
    app.trading.on("refused_login", (message) => {
      sessionStorage.removeItem(KEPT);
      this.open(WHY[message.code] ?? message.reason);
    });
    app.trading.on("state", () => {
      if (!app.trading.loggedIn) return;
      this.#busy(false);
      this.dialog.close();
      this.field.secret.value = "";
    });
  }

  /** Log in with the key kept in this tab, or ask for one. */
  start() {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
    if (kept) this.#with(kept);
    else this.open();
  }

  open(problem = "") {
    this.#busy(false);
    say(byId("login-problem"), problem);
    if (!this.dialog.open) this.dialog.showModal();
    (this.field.key.value ? this.field.secret : this.field.key).focus();
  }

  #busy(busy) {
    byId("login-send").disabled = busy;
  }

  #send() {
    const { key, secret, keep, encoding, leaving } = this.field;
    const kept = {
      keyId: key.value.trim(),
      secret: secret.value.trim(),
      encoding: encoding.value,
      leaving: leaving.checked,
    };
    if (!kept.keyId || !kept.secret) {
      say(byId("login-problem"), "Key id and secret are both needed. 请填写密钥编号和密钥");
      return;
    }
    if (keep.checked) sessionStorage.setItem(KEPT, JSON.stringify(kept));
    this.#with(kept);
  }

  async #with({ keyId, secret, encoding, leaving }) {
    this.#busy(true);
    say(byId("login-problem"), "");
    try {
      this.app.trading.logIn(await Signer.of(keyId, secret), encoding, leaving);
    } catch (problem) {
      this.open(problem.message);
    }
  }
}
