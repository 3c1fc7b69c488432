//! The campaign of addresses: whatever a forbidden one is spelled like, and whatever a name resolves to, nothing is dialled
//! that was not judged.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request, Uri};
use http_body_util::Full;
use tokio::net::TcpStream;
use wasmtime_wasi_http::Error;

use super::super::connector::Connector;
use super::super::network::Network;
use super::backend::{Backend, Reply};
use super::gate::TestGate;
use super::{Caller, OK, get};

/// Loopback, private and shared networks, metadata services, and what is no unicast address at all.
const FORBIDDEN: &[[u8; 4]] = &[
    [127, 0, 0, 1],
    [127, 255, 255, 254],
    [10, 0, 0, 1],
    [172, 16, 0, 1],
    [192, 168, 1, 1],
    [169, 254, 169, 254],
    [100, 64, 0, 1],
    [100, 100, 100, 200],
    [0, 0, 0, 0],
    [192, 0, 0, 192],
    [198, 18, 0, 1],
    [224, 0, 0, 1],
    [255, 255, 255, 255],
];

/// What means a forbidden address to one parser or another, or hides it.
const TRICKS: &[&str] = &[
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::]",
    "[0000::1]",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[fec0::1]",
    "[fd00:ec2::254]",
    "[fc00::1]",
    "[ff02::1]",
    "[2001::7f00:1]",
    "[2001:db8::1]",
    "[64:ff9b:1::7f00:1]",
    "[::ffff:0:127.0.0.1]",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "localhost.localdomain",
    "anything.localhost",
    "ip6-localhost",
    "127.0.0.1.nip.example",
    "xn--fiqs8s.example",
    "１２７.0.0.1",
    "127。0。0。1",
    "①②⑦.0.0.1",
    "ⓛocalhost",
    "loc\u{ad}alhost",
    "%31%32%37.0.0.1",
    "%6cocalhost",
    "shop.example@127.0.0.1",
    "127.0.0.1@shop.example",
    "user:password@127.0.0.1",
    "127.0.0.1%00.shop.example",
    "127.0.0.1\\@shop.example",
    "127.0.0.1#shop.example",
    "127.0.0.1?shop.example",
    "127.0.0.1/shop.example",
    "127.0.0.1\t",
    "0x7f.1",
    "0177.1",
    "127.1.",
    "0x7F000001",
    "4294967296",
    "00000000000000000000000000000177.0.0.1",
    "0x00000000000000007f.0.0.1",
];

/// The spellings of one IPv4 address that some parser takes for it.
fn spellings(octets: [u8; 4]) -> Vec<String> {
    let [a, b, c, d] = octets;
    let number = u32::from_be_bytes(octets);
    let (high, low) = (number >> 16, number & 0xffff);
    let tail = number & 0x00ff_ffff;
    vec![
        format!("{a}.{b}.{c}.{d}"),
        format!("{a}.{b}.{c}.{d}."),
        format!("{a}.{tail}"),
        format!("{a}.{b}.{low}"),
        format!("{number}"),
        format!("{number:#x}"),
        format!("{number:#X}"),
        format!("0{number:o}"),
        format!("{a:#x}.{b:#x}.{c:#x}.{d:#x}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("[::ffff:{a}.{b}.{c}.{d}]"),
        format!("[::ffff:{high:x}:{low:x}]"),
        format!("[::{a}.{b}.{c}.{d}]"),
        format!("[64:ff9b::{a}.{b}.{c}.{d}]"),
        format!("[2002:{high:x}:{low:x}::1]"),
    ]
}

/// A network whose names resolve as an attacker likes, and that remembers who was dialled. What is public leads to `shop`.
#[derive(Clone)]
struct Hostile {
    answers: Arc<Mutex<Vec<Vec<SocketAddr>>>>,
    asked: Arc<Mutex<u32>>,
    dialled: Arc<Mutex<Vec<SocketAddr>>>,
    shop: SocketAddr,
}

impl Hostile {
    /// The last answer is given from then on.
    fn new(shop: SocketAddr, answers: Vec<Vec<SocketAddr>>) -> Self {
        Self {
            answers: Arc::new(Mutex::new(answers)),
            asked: Arc::default(),
            dialled: Arc::default(),
            shop,
        }
    }

    fn dialled(&self) -> Vec<SocketAddr> {
        self.dialled.lock().unwrap().clone()
    }

    fn caller(&self, gate: TestGate) -> Caller {
        Caller::over(gate, Connector::over(Box::new(self.clone())))
    }
}

#[async_trait]
impl Network for Hostile {
    async fn resolve(&self, _: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        *self.asked.lock().unwrap() += 1;
        let mut answers = self.answers.lock().unwrap();
        let mut answer = match answers.len() {
            1 => answers[0].clone(),
            _ => answers.remove(0),
        };
        for address in &mut answer {
            address.set_port(port);
        }
        Ok(answer)
    }

    async fn dial(&self, peer: SocketAddr) -> io::Result<TcpStream> {
        self.dialled.lock().unwrap().push(peer);
        TcpStream::connect(if peer.ip() == public() {
            self.shop
        } else {
            peer
        })
        .await
    }
}

fn public() -> std::net::IpAddr {
    Ipv4Addr::new(8, 8, 8, 8).into()
}

fn at(address: impl Into<std::net::IpAddr>) -> SocketAddr {
    (address.into(), 0).into()
}

/// A request as a plugin puts it together; none where not even that is possible.
fn addressed(authority: &str) -> Option<Request<Full<Bytes>>> {
    let uri = Uri::builder()
        .scheme("http")
        .authority(authority)
        .path_and_query("/")
        .build();
    let request = Request::builder().method(Method::GET).uri(uri.ok()?);
    request.body(Full::default()).ok()
}

#[tokio::test]
async fn no_spelling_reaches_a_forbidden_address() {
    let target = Backend::start(vec![vec![OK]]).await;
    // Every name leads to loopback, as the name servers of an attacker would have it.
    let network = Hostile::new(target.address(), vec![vec![at(Ipv4Addr::LOCALHOST)]]);
    let hosts: Vec<String> = FORBIDDEN
        .iter()
        .flat_map(|octets| spellings(*octets))
        .chain(TRICKS.iter().map(|host| (*host).to_owned()))
        .collect();
    let (mut refused, mut impossible) = (0, 0);
    for host in &hosts {
        // The gate lets everything pass: what is left is the check of addresses alone.
        let caller = network.caller(TestGate::public());
        let Some(request) = addressed(&format!("{host}:{}", target.port())) else {
            impossible += 1;
            continue;
        };
        let error = caller.send(request).await.unwrap_err();
        let expected = matches!(
            error,
            Error::DestinationIpProhibited | Error::HttpRequestUriInvalid
        );
        assert!(expected, "{host}: {error:?}");
        assert_eq!(network.dialled(), [], "{host}");
        refused += 1;
    }
    println!(
        "addresses: {} spellings of forbidden hosts ({refused} refused, {impossible} no request at all), {} reached",
        hosts.len(),
        target.connections()
    );
    assert!(refused >= 150, "{refused}");
    assert_eq!(target.connections(), 0);
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let target = Backend::start(vec![vec![OK]]).await;
    for status in [301, 302, 303, 307, 308] {
        let head = format!(
            "HTTP/1.1 {status} Moved\r\nlocation: {}\r\nrefresh: 0; url={}\r\ncontent-length: 0\r\n\r\n",
            target.url("/"),
            target.url("/")
        );
        let shop = Backend::start(vec![vec![Reply::Text(head)]]).await;
        let network = Hostile::new(shop.address(), vec![vec![at(public())]]);
        let caller = network.caller(TestGate::public());
        let answer = caller.send(get("http://shop.example/")).await.unwrap();
        assert_eq!((answer.0, network.dialled().len()), (status, 1));
    }
    assert_eq!(target.connections(), 0);
}

#[tokio::test]
async fn a_name_that_changes_its_mind_leads_to_the_address_that_was_judged() {
    let shop = Backend::start(vec![vec![OK, OK]]).await;
    let network = Hostile::new(
        shop.address(),
        vec![vec![at(public())], vec![at(Ipv4Addr::LOCALHOST)]],
    );
    let caller = network.caller(TestGate::public());
    let answer = caller.send(get("http://rebinding.example/")).await;
    assert_eq!(answer.unwrap().0, 200);
    assert_eq!(*network.asked.lock().unwrap(), 1, "resolved once a request");
    // Now the name leads to loopback; the connection that is still open to the public address does not help it either.
    let refused = caller
        .send(get("http://rebinding.example/"))
        .await
        .unwrap_err();
    assert!(
        matches!(refused, Error::DestinationIpProhibited),
        "{refused:?}"
    );
    assert_eq!(network.dialled(), [(public(), 80).into()]);
}

#[tokio::test]
async fn a_name_with_one_forbidden_address_is_not_dialled_at_all() {
    let shop = Backend::start(vec![vec![OK]]).await;
    for hidden in [[127, 0, 0, 1], [169, 254, 169, 254], [10, 0, 0, 1]] {
        let mixed = vec![at(public()), at(Ipv4Addr::from(hidden))];
        let network = Hostile::new(shop.address(), vec![mixed]);
        let caller = network.caller(TestGate::public());
        let refused = caller.send(get("http://mixed.example/")).await.unwrap_err();
        assert!(
            matches!(refused, Error::DestinationIpProhibited),
            "{refused:?}"
        );
        assert_eq!(network.dialled(), []);
    }
}
