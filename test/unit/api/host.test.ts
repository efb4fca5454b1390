import { describe, expect, it } from "vitest";
import { createHostCheck, isLoopbackAuthority, isLoopbackOrigin } from "../../../src/api/host.ts";

const LOOPBACK = [
  "localhost",
  "LocalHost",
  "localhost.",
  "localhost:4040",
  "localhost:",
  "127.0.0.1",
  "127.0.0.1:1",
  "127.0.0.1.:1",
  "127.255.255.254",
  "[::1]",
  "[::1]:65535",
];

const FOREIGN = [
  "",
  ":4040",
  ".",
  "localhost..",
  "localhost.example",
  "a.localhost",
  "localhost:80:80",
  "localhost:x",
  "localhost ",
  "localhost@evil.example",
  "evil.example",
  "evil.example:4040",
  "127.0.0.1.evil.example",
  "127.0.0.256",
  "127.0.0.01",
  "127.1",
  "0x7f.0.0.1",
  "2130706433",
  "126.0.0.1",
  "0.0.0.0",
  "10.0.0.7",
  "169.254.169.254",
  "[::]",
  "[::1",
  "::1",
  "[::1]x",
  "[::ffff:127.0.0.1]",
  "[fe80::1]",
];

describe("isLoopbackAuthority", () => {
  it.each(LOOPBACK)("takes %j", (authority) => {
    expect(isLoopbackAuthority(authority)).toBe(true);
  });

  it.each(FOREIGN)("refuses %j", (authority) => {
    expect(isLoopbackAuthority(authority)).toBe(false);
  });
});

describe("isLoopbackOrigin", () => {
  it.each(["http://localhost", "https://127.0.0.1:3000", "HTTP://[::1]:80"])("takes %j", (origin) => {
    expect(isLoopbackOrigin(origin)).toBe(true);
  });

  it.each(["", "null", "localhost", "file://localhost", "http://", "http://evil.example", "https://localhost.x"])(
    "refuses %j",
    (origin) => {
      expect(isLoopbackOrigin(origin)).toBe(false);
    },
  );
});

describe("createHostCheck", () => {
  it("answers as isLoopbackAuthority, in any order of questions", () => {
    const isAllowed = createHostCheck();
    expect(isAllowed(undefined)).toBe(false);
    for (const _round of [1, 2]) {
      for (const authority of LOOPBACK) {
        expect(isAllowed(authority)).toBe(true);
        expect(isAllowed(authority)).toBe(true);
        for (const foreign of FOREIGN) {
          expect(isAllowed(foreign), foreign).toBe(false);
          expect(isAllowed(foreign), foreign).toBe(false);
        }
      }
    }
  });
});
