//! Questions to the solver: does a statement follow from rules, can a rule fail, can it match?

use anyhow::{Context, Result};
use cedar_policy::{Policy, PolicySet, RequestEnv, Schema};
use cedar_policy_symcc::solver::LocalSolver;
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicy, CompiledPolicySet, Env};

/// A question that takes longer than this is given up, milliseconds.
const PATIENCE: &str = "--tlimit-per=60000";

/// A solver that runs beside this program.
pub(crate) struct Solver(CedarSymCompiler<LocalSolver>);

impl Solver {
    /// Starts cvc5: what the variable `CVC5` names, or else what is found on the path.
    pub(crate) fn start() -> Result<Self> {
        let cvc5 = LocalSolver::cvc5_with_args([PATIENCE])
            .context("cvc5 cannot be started; install it (apt-get install cvc5), or name it in the variable CVC5")?;
        Ok(Self(CedarSymCompiler::new(cvc5)?))
    }

    /// A request that the first set allows and the second does not; none if the second follows from the first.
    pub(crate) async fn refute(
        &mut self,
        rules: &PolicySet,
        statement: &PolicySet,
        of: &RequestEnv,
        schema: &Schema,
    ) -> Result<Option<Env>> {
        let rules = CompiledPolicySet::compile(rules, of, schema)?;
        let statement = CompiledPolicySet::compile(statement, of, schema)?;
        let found = self
            .0
            .check_implies_with_counterexample_opt(&rules, &statement);
        Ok(found.await?)
    }

    /// A request on which the policy fails.
    pub(crate) async fn failure(
        &mut self,
        policy: &Policy,
        of: &RequestEnv,
        schema: &Schema,
    ) -> Result<Option<Env>> {
        let policy = CompiledPolicy::compile(policy, of, schema)?;
        Ok(self
            .0
            .check_never_errors_with_counterexample_opt(&policy)
            .await?)
    }

    /// Whether some request meets the policy's conditions.
    pub(crate) async fn can_match(
        &mut self,
        policy: &Policy,
        of: &RequestEnv,
        schema: &Schema,
    ) -> Result<bool> {
        let policy = CompiledPolicy::compile(policy, of, schema)?;
        Ok(!self.0.check_never_matches_opt(&policy).await?)
    }

    /// Whether the set allows anything at all.
    pub(crate) async fn allows_something(
        &mut self,
        rules: &PolicySet,
        of: &RequestEnv,
        schema: &Schema,
    ) -> Result<bool> {
        let rules = CompiledPolicySet::compile(rules, of, schema)?;
        Ok(!self.0.check_always_denies_opt(&rules).await?)
    }
}
