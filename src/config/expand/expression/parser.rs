//! From tokens to a tree, by binding power (Pratt, Top Down Operator Precedence, POPL 1973).

use super::{
    Calculation, Comparison, Expr, Expression, ExpressionError, Path,
    lexer::{Token, tokens},
};

/// Brackets, `not` and `-` inside each other.
const MAX_DEPTH: usize = 50;
/// Chains of `+` make trees as deep as they are long.
const MAX_OPERATORS: usize = 100;

const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const COMPARE: u8 = 4;
const ADD: u8 = 5;
const MULTIPLY: u8 = 6;
const NEGATE: u8 = 7;

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<(Token, usize)>,
    at: usize,
    depth: usize,
    operators: usize,
    paths: Vec<(Path, usize)>,
}

/// A part, and what is wrong with it where a condition is needed.
struct Part {
    expr: Expr,
    column: usize,
}

pub(super) fn parse(text: &str) -> Result<Expression, ExpressionError> {
    let tokens = tokens(text)?;
    let weight = tokens.len() as u64 - 1;
    let mut parser = Parser { text, tokens, at: 0, depth: 0, operators: 0, paths: Vec::new() };
    let part = parser.part(0)?;
    if *parser.peek() != Token::End {
        let message =
            format!("{} is one too many; join conditions with `and` or `or`", parser.shown());
        return Err(parser.wrong(parser.column(), message));
    }
    let root = parser.condition(part)?;
    Ok(Expression { text: text.to_owned(), root, paths: parser.paths, weight })
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |(token, _)| token)
    }

    fn column(&self) -> usize {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(1, |(_, column)| *column)
    }

    fn shown(&self) -> String {
        match self.peek() {
            Token::End => "the end".to_owned(),
            Token::Symbol(symbol) => format!("`{symbol}`"),
            Token::Literal(value) => value.to_string(),
            Token::Path(steps) => format!("`{}`", steps.join(".")),
        }
    }

    fn wrong(&self, column: usize, message: impl Into<String>) -> ExpressionError {
        ExpressionError { text: self.text.to_owned(), column, message: message.into() }
    }

    fn accept(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Token::Symbol(found) if *found == symbol);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str, opened: usize) -> Result<(), ExpressionError> {
        if self.accept(symbol) {
            return Ok(());
        }
        let message = format!(
            "`{symbol}` is expected here, for the bracket of column {opened}, not {}",
            self.shown()
        );
        Err(self.wrong(self.column(), message))
    }

    /// A part whose operators bind at least as strongly as `power`.
    fn part(&mut self, power: u8) -> Result<Part, ExpressionError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.wrong(self.column(), format!("nested deeper than {MAX_DEPTH} levels")));
        }
        let mut left = self.operand()?;
        while let Token::Symbol(symbol) = self.peek() {
            let symbol = *symbol;
            let Some(binding) = binding(symbol).filter(|binding| *binding >= power) else { break };
            self.operators += 1;
            if self.operators > MAX_OPERATORS {
                let message = format!("more than {MAX_OPERATORS} operators");
                return Err(self.wrong(self.column(), message));
            }
            left = self.infix(symbol, binding, left)?;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn operand(&mut self) -> Result<Part, ExpressionError> {
        let column = self.column();
        let token = self.peek().clone();
        self.at += 1;
        let expr = match token {
            Token::Literal(value) => Expr::Literal(value),
            Token::Path(path) => {
                self.paths.push((path.clone(), column));
                Expr::Path(path)
            }
            Token::Symbol("(") => {
                let inside = self.part(0)?;
                self.expect(")", column)?;
                inside.expr
            }
            Token::Symbol("-") => Expr::Negate(Box::new(self.part(NEGATE)?.expr)),
            Token::Symbol("not") => {
                let inside = self.part(NOT)?;
                Expr::Not(Box::new(self.condition(inside)?))
            }
            Token::Symbol("[") => {
                return Err(self.wrong(column, "a list stands behind `in` only"));
            }
            _ => {
                self.at -= 1;
                let message = format!(
                    "a value is expected here, as in temperature or 0.8 or 'text', not {}",
                    self.shown()
                );
                return Err(self.wrong(column, message));
            }
        };
        Ok(Part { expr, column })
    }

    fn infix(&mut self, symbol: &str, binding: u8, left: Part) -> Result<Part, ExpressionError> {
        self.at += 1;
        let column = left.column;
        if let Some(comparison) = comparison(symbol) {
            let right = self.part(binding + 1)?;
            self.no_chain()?;
            let expr = Expr::Compare(comparison, Box::new(left.expr), Box::new(right.expr));
            return Ok(Part { expr, column });
        }
        let expr = match symbol {
            "and" | "or" => {
                let right = self.part(binding + 1)?;
                let (left, right) = (self.condition(left)?, self.condition(right)?);
                joined(symbol == "and", left, right)
            }
            "in" => self.contained(left)?,
            "not" => {
                if !self.accept("in") {
                    let message = "`in` is expected behind `not` here, as in model not in ['a']";
                    return Err(self.wrong(self.column(), message));
                }
                Expr::Not(Box::new(self.contained(left)?))
            }
            _ => {
                let calculation = match symbol {
                    "+" => Calculation::Add,
                    "-" => Calculation::Subtract,
                    "*" => Calculation::Multiply,
                    _ => Calculation::Divide,
                };
                let right = self.part(binding + 1)?;
                Expr::Calculate(calculation, Box::new(left.expr), Box::new(right.expr))
            }
        };
        Ok(Part { expr, column })
    }

    /// What follows `in`: a list of values, or a path to one.
    fn contained(&mut self, item: Part) -> Result<Expr, ExpressionError> {
        let column = self.column();
        let list = if self.accept("[") {
            let mut items = Vec::new();
            while !self.accept("]") {
                items.push(self.part(COMPARE + 1)?.expr);
                if !self.accept(",") {
                    self.expect("]", column)?;
                    break;
                }
            }
            Expr::List(items)
        } else if let Token::Path(_) = self.peek() {
            self.operand()?.expr
        } else {
            let message = "a list is expected here, as in ['a', 'b'], or the path of one";
            return Err(self.wrong(column, message));
        };
        self.no_chain()?;
        Ok(Expr::In(Box::new(item.expr), Box::new(list)))
    }

    fn no_chain(&self) -> Result<(), ExpressionError> {
        match self.peek() {
            Token::Symbol(symbol) if binding(symbol) == Some(COMPARE) => {
                Err(self.wrong(self.column(), "comparisons are not chained; write 0 < x and x < 1"))
            }
            _ => Ok(()),
        }
    }

    /// The part, if it can be true or false.
    fn condition(&self, part: Part) -> Result<Expr, ExpressionError> {
        let is_condition = match &part.expr {
            Expr::Literal(value) => value.is_boolean(),
            Expr::List(_) | Expr::Negate(_) | Expr::Calculate(..) => false,
            _ => true,
        };
        if is_condition {
            return Ok(part.expr);
        }
        let message = "a condition is expected here, as in temperature > 0.8";
        Err(self.wrong(part.column, message))
    }
}

/// Chains of `and` stay flat.
fn joined(and: bool, left: Expr, right: Expr) -> Expr {
    match (and, left) {
        (true, Expr::All(mut all)) => {
            all.push(right);
            Expr::All(all)
        }
        (false, Expr::Any(mut any)) => {
            any.push(right);
            Expr::Any(any)
        }
        (true, left) => Expr::All(vec![left, right]),
        (false, left) => Expr::Any(vec![left, right]),
    }
}

fn binding(symbol: &str) -> Option<u8> {
    match symbol {
        "or" => Some(OR),
        "and" => Some(AND),
        "in" | "not" => Some(COMPARE),
        "+" | "-" => Some(ADD),
        "*" | "/" => Some(MULTIPLY),
        symbol => comparison(symbol).map(|_| COMPARE),
    }
}

fn comparison(symbol: &str) -> Option<Comparison> {
    Some(match symbol {
        "==" => Comparison::Equal,
        "!=" => Comparison::NotEqual,
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        ">" => Comparison::Greater,
        ">=" => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
