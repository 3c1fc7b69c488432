//! A guest that asks nobody, and never says the same twice.

use crate::guest::{component, core};

/// `throw` says two random numbers, and twice the time.
pub(crate) fn dice() -> Vec<u8> {
    let random = "package wasi:random@0.2.0;
         interface random { get-random-u64: func() -> u64; }
         interface insecure { get-insecure-random-u64: func() -> u64; }";
    let clocks = "package wasi:clocks@0.2.0;
         interface wall-clock {
            record datetime { seconds: u64, nanoseconds: u32 }
            now: func() -> datetime;
         }";
    let dice = "package acme:dice@1.0.0;
         interface dice {
            record thrown { chance: u32, cheap-chance: u32, at: u32, later: u32 }
            throw: func() -> thrown;
         }
         world w {
            import wasi:random/random@0.2.0;
            import wasi:random/insecure@0.2.0;
            import wasi:clocks/wall-clock@0.2.0;
            export dice;
         }";
    let module = core(
        "(import \"wasi:random/random@0.2.0\" \"get-random-u64\" (func $chance (result i64)))
         (import \"wasi:random/insecure@0.2.0\" \"get-insecure-random-u64\" (func $cheap (result i64)))
         (import \"wasi:clocks/wall-clock@0.2.0\" \"now\" (func $now (param i32)))
         (func (export \"acme:dice/dice@1.0.0#throw\") (result i32)
            (i32.store (i32.const 16) (i32.wrap_i64 (call $chance)))
            (i32.store (i32.const 20) (i32.wrap_i64 (call $cheap)))
            (call $now (i32.const 64))
            (i32.store (i32.const 24) (i32.load (i32.const 72)))
            (call $now (i32.const 64))
            (i32.store (i32.const 28) (i32.load (i32.const 72)))
            (i32.const 16))",
    );
    component(&[random, clocks, dice], &module)
}
