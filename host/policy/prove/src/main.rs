//! Theorems about the shipped rulebook: what it allows, that no rule can fail, and that no rule is dead.
//!
//! The host refuses where a rule fails (Cedar alone would skip it), so first it is proved that no rule fails on values that the
//! host can supply; then what Cedar allows of such values is what the host allows. Each theorem is also asked again without each
//! of the rules that it rests on, and must fall then: a statement that nothing can refute says nothing.

mod solve;
mod statements;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use cedar_policy::RequestEnv;
use cedar_policy_symcc::Env;
use serde_json::Value;

use solve::Solver;
use statements::{Statements, Theorem, id_of};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match prove().await {
        Ok(0) => ExitCode::SUCCESS,
        Ok(faults) => {
            println!("{faults} statements do not hold");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("prove: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// How many statements do not hold.
async fn prove() -> Result<u32> {
    let started = Instant::now();
    let statements = Statements::read()?;
    let mut solver = Solver::start()?;
    let mut faults = no_rule_fails(&mut solver, &statements).await?;
    faults += every_rule_can_match(&mut solver, &statements).await?;
    let mut broken = 0;
    for theorem in &statements.theorems {
        faults += holds(&mut solver, &statements, theorem).await?;
        for rule in &theorem.rests_on {
            broken += 1;
            faults += falls_without(&mut solver, &statements, theorem, rule).await?;
        }
    }
    println!(
        "{} rules, {} theorems, {broken} of them again with a rule taken away, in {:.1} s",
        statements.rules.len(),
        statements.theorems.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(faults)
}

async fn no_rule_fails(solver: &mut Solver, statements: &Statements) -> Result<u32> {
    let mut faults = 0;
    for rule in &statements.rules {
        for of in statements.environments(rule) {
            let supplied = statements.for_supplied(rule, &of)?;
            if let Some(found) = solver.failure(&supplied, &of, &statements.schema).await? {
                faults += 1;
                println!("✗ {} can fail:\n{found}", id_of(rule));
                break;
            }
        }
    }
    if faults == 0 {
        println!("✓ no rule can fail on values that the host can supply");
    }
    Ok(faults)
}

async fn every_rule_can_match(solver: &mut Solver, statements: &Statements) -> Result<u32> {
    let mut faults = 0;
    for rule in &statements.rules {
        let mut can_match = false;
        for of in statements.environments(rule) {
            let supplied = statements.for_supplied(rule, &of)?;
            can_match = solver.can_match(&supplied, &of, &statements.schema).await?;
            if can_match {
                break;
            }
        }
        if !can_match {
            faults += 1;
            println!("✗ {} can never match", id_of(rule));
        }
    }
    if faults == 0 {
        println!("✓ every rule can match");
    }
    Ok(faults)
}

async fn holds(solver: &mut Solver, statements: &Statements, theorem: &Theorem) -> Result<u32> {
    let rules = statements.rules_without(None)?;
    for of in statements.environments(&theorem.policy) {
        if !solver
            .allows_something(&rules, &of, &statements.schema)
            .await?
        {
            println!(
                "✗ {}: {} is never allowed, so this says nothing",
                theorem.id,
                of.action()
            );
            return Ok(1);
        }
        if let Some(found) = refutation(solver, statements, theorem, &of, None).await? {
            println!(
                "✗ {}: it is not true that {}:\n{found}",
                theorem.id, theorem.says
            );
            return Ok(1);
        }
    }
    println!("✓ {}: {}", theorem.id, theorem.says);
    Ok(0)
}

async fn falls_without(
    solver: &mut Solver,
    statements: &Statements,
    theorem: &Theorem,
    rule: &str,
) -> Result<u32> {
    for of in statements.environments(&theorem.policy) {
        if let Some(found) = refutation(solver, statements, theorem, &of, Some(rule)).await? {
            println!("    without {rule}: {}", in_short(&found, theorem));
            return Ok(0);
        }
    }
    println!(
        "✗ {} holds without {rule} too: it does not rest on it",
        theorem.id
    );
    Ok(1)
}

async fn refutation(
    solver: &mut Solver,
    statements: &Statements,
    theorem: &Theorem,
    of: &RequestEnv,
    without: Option<&str>,
) -> Result<Option<Env>> {
    let rules = statements.rules_without(without)?;
    let statement = statements.with_supplied(&theorem.policy, of)?;
    solver
        .refute(&rules, &statement, of, &statements.schema)
        .await
}

/// Of a counterexample, what the theorem speaks of.
fn in_short(found: &Env, theorem: &Theorem) -> String {
    let text = theorem.policy.to_string();
    let context = found.request.context();
    let context = context.and_then(|context| context.to_json_value().ok());
    let Some(Value::Object(fields)) = context else {
        return found.to_string();
    };
    let is_spoken_of = |name: &str| {
        text.contains(&format!("context.{name}")) || text.contains(&format!("context has {name}"))
    };
    let known = fields.into_iter().filter(|(name, _)| is_spoken_of(name));
    let known: Vec<String> = known
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    if known.is_empty() {
        "where nothing that it speaks of is known".to_owned()
    } else {
        known.join(", ")
    }
}
