// Signatures as gateway/keys.py checks them: hex HMAC-SHA256. The secret becomes a key of the
// browser that cannot be read out again.

const bytes = (text) => new TextEncoder().encode(text);

export class Signer {
  constructor(keyId, key) {
    this.keyId = keyId;
    this.key = key;
  }

  static async of(keyId, secret) {
    if (!globalThis.crypto?.subtle) {
      throw new Error("This browser signs only on https:// pages and on http://127.0.0.1.");
    }
    const way = { name: "HMAC", hash: "SHA-256" };
    return new Signer(
      keyId,
      await crypto.subtle.importKey("raw", bytes(secret), way, false, ["sign"]),
    );
  }

  async sign(text) {
    const made = new Uint8Array(await crypto.subtle.sign("HMAC", this.key, bytes(text)));
    return Array.from(made, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  /** The login message that answers a challenge. */
  async login(nonce) {
    const timeUs = Date.now() * 1000;
    const signature = await this.sign(`${nonce}:${timeUs}`);
    return { type: "login", key_id: this.keyId, time_us: timeUs, signature };
  }

  /** The headers of a signed GET of `target`, path and query. */
  async headers(target) {
    const timeUs = Date.now() * 1000;
    return {
      "X-Tanshi-Key": this.keyId,
      "X-Tanshi-Time": String(timeUs),
      "X-Tanshi-Signature": await this.sign(`${timeUs}:GET:${target}`),
    };
  }
}
