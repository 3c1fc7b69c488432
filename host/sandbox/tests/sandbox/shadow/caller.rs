//! A guest that asks a backend, and says what it answered.

use crate::guest::{component, core};

const IO: &str = include_str!("../../../../../plugins/templates/scripted/wit/deps/wasi-io.wit");
const HTTP: &str = include_str!("../../../../../plugins/templates/scripted/wit/deps/wasi-http.wit");
const WORLD: &str = "package acme:calling@1.0.0;
    interface calling { ask: func(path: string, body: string) -> string; }
    world w {
        import wasi:io/poll@0.2.0;
        import wasi:io/streams@0.2.0;
        import wasi:http/types@0.2.0;
        import wasi:http/outgoing-handler@0.2.0;
        export calling;
    }";

/// Where `$ask` asks, and with which body; none is a GET.
pub(crate) const AS_TOLD: &str =
    "(call $ask (local.get 0) (local.get 1) (local.get 2) (local.get 3))";
/// Another path than it is told.
pub(crate) const ELSEWHERE: &str =
    "(call $ask (i32.const 1200) (i32.const 6) (local.get 2) (local.get 3))";
/// Another body than it is told.
pub(crate) const ANOTHER_BODY: &str =
    "(call $ask (local.get 0) (local.get 1) (i32.const 1300) (i32.const 12))";
/// Nothing, and gives another result.
pub(crate) const NOTHING: &str = "(i32.const 1400)";

/// A guest that does this in its one tool.
pub(crate) fn caller(authority: &str, does: &str) -> Vec<u8> {
    let items = ITEMS
        .replace("AUTHORITY_LENGTH", &authority.len().to_string())
        .replace("AUTHORITY", authority)
        .replace("DOES", does);
    component(&[IO, HTTP, WORLD], &core(&items))
}

/// Texts lie from 1024 on, what the host gives back below 512. Errors come as `E` and the number of the error's case, as a letter
/// from `A` on.
const ITEMS: &str = r#"
    (import "wasi:http/types@0.2.0" "[static]fields.from-list" (func $fields (param i32 i32 i32)))
    (import "wasi:http/types@0.2.0" "[constructor]outgoing-request" (func $request (param i32) (result i32)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-method" (func $set_method (param i32 i32 i32 i32) (result i32)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-path-with-query" (func $set_path (param i32 i32 i32 i32) (result i32)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-scheme" (func $set_scheme (param i32 i32 i32 i32 i32) (result i32)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-authority" (func $set_authority (param i32 i32 i32 i32) (result i32)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-request.body" (func $body (param i32 i32)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-body.write" (func $write (param i32 i32)))
    (import "wasi:http/types@0.2.0" "[static]outgoing-body.finish" (func $finish (param i32 i32 i32 i32)))
    (import "wasi:http/types@0.2.0" "[method]incoming-response.consume" (func $consume (param i32 i32)))
    (import "wasi:http/types@0.2.0" "[method]incoming-body.stream" (func $stream (param i32 i32)))
    (import "wasi:http/types@0.2.0" "[method]future-incoming-response.subscribe" (func $subscribe (param i32) (result i32)))
    (import "wasi:http/types@0.2.0" "[method]future-incoming-response.get" (func $get (param i32 i32)))
    (import "wasi:http/outgoing-handler@0.2.0" "handle" (func $handle (param i32 i32 i32 i32)))
    (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))
    (import "wasi:io/streams@0.2.0" "[method]input-stream.blocking-read" (func $read (param i32 i64 i32)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush" (func $send (param i32 i32 i32 i32)))
    (import "wasi:io/streams@0.2.0" "[resource-drop]output-stream" (func $drop_stream (param i32)))
    (data (i32.const 1024) "AUTHORITY")
    (data (i32.const 1200) "/other")
    (data (i32.const 1300) "{\"points\":6}")
    (data (i32.const 1400) "\80\05\00\00\07\00\00\00")
    (data (i32.const 1408) "nothing")
    (data (i32.const 1440) "\f0\05\00\00\06\00\00\00\00\06\00\00\0a\00\00\00\20\06\00\00\0d\00\00\00\40\06\00\00\04\00\00\00")
    (data (i32.const 1520) "accept")
    (data (i32.const 1536) "text/plain")
    (data (i32.const 1568) "authorization")
    (data (i32.const 1600) "mine")
    (func $ask (param i32 i32 i32 i32) (result i32)
        (local $request i32) (local $body i32) (local $stream i32) (local $answer i32)
        (call $fields (i32.const 1440) (i32.const 2) (i32.const 128))
        (local.set $request (call $request (i32.load (i32.const 132))))
        (drop (call $set_method (local.get $request) (select (i32.const 2) (i32.const 0) (local.get 3)) (i32.const 0) (i32.const 0)))
        (drop (call $set_scheme (local.get $request) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0)))
        (drop (call $set_authority (local.get $request) (i32.const 1) (i32.const 1024) (i32.const AUTHORITY_LENGTH)))
        (drop (call $set_path (local.get $request) (i32.const 1) (local.get 0) (local.get 1)))
        (call $body (local.get $request) (i32.const 128))
        (local.set $body (i32.load (i32.const 132)))
        (call $handle (local.get $request) (i32.const 0) (i32.const 0) (i32.const 160))
        (if (local.get 3) (then
            (call $write (local.get $body) (i32.const 128))
            (local.set $stream (i32.load (i32.const 132)))
            (call $send (local.get $stream) (local.get 2) (local.get 3) (i32.const 128))
            (call $drop_stream (local.get $stream))))
        (call $finish (local.get $body) (i32.const 0) (i32.const 0) (i32.const 256))
        (call $block (call $subscribe (i32.load (i32.const 168))))
        (call $get (i32.load (i32.const 168)) (i32.const 192))
        (if (i32.load8_u (i32.const 208)) (then
            (i32.store8 (i32.const 320) (i32.const 69))
            (i32.store8 (i32.const 321) (i32.add (i32.const 65) (i32.load8_u (i32.const 216))))
            (i32.store (i32.const 16) (i32.const 320))
            (i32.store (i32.const 20) (i32.const 2))
            (return (i32.const 16))))
        (call $consume (i32.load (i32.const 216)) (i32.const 128))
        (call $stream (i32.load (i32.const 132)) (i32.const 128))
        (call $read (i32.load (i32.const 132)) (i64.const 1000) (i32.const 128))
        (i32.store (i32.const 16) (i32.load (i32.const 132)))
        (i32.store (i32.const 20) (i32.load (i32.const 136)))
        (i32.const 16))
    (func (export "acme:calling/calling@1.0.0#ask") (param i32 i32 i32 i32) (result i32) DOES)"#;
