//! Rows whose right side was computed by C on x86-64 (`strtod`, `strtold`, `%.17Lf`) or by Redis 7.0.

use super::*;
use proptest::prelude::*;

#[test]
fn integers_have_one_spelling() {
    let cases: &[(&str, Option<i64>)] = &[
        ("0", Some(0)),
        ("7", Some(7)),
        ("-1", Some(-1)),
        ("9223372036854775807", Some(i64::MAX)),
        ("9223372036854775808", None),
        ("-9223372036854775808", Some(i64::MIN)),
        ("-9223372036854775809", None),
        ("18446744073709551616", None),
        ("99999999999999999999", None),
        ("-99999999999999999999", None),
        ("", None),
        ("-", None),
        ("-0", None),
        ("00", None),
        ("01", None),
        ("-01", None),
        ("+1", None),
        (" 1", None),
        ("1 ", None),
        ("1\0", None),
        ("1.0", None),
        ("0x1", None),
        ("١", None),
    ];
    for (text, value) in cases {
        assert_eq!(parse_i64(text.as_bytes()), *value, "{text:?}");
    }
}

#[test]
fn doubles_are_those_of_strtod_less_its_oddities() {
    let cases: &[(&str, Option<f64>)] = &[
        ("0", Some(0.0)),
        ("-0", Some(-0.0)),
        ("3.0e3", Some(3000.0)),
        ("+.5", Some(0.5)),
        ("5.", Some(5.0)),
        ("1e308", Some(1e308)),
        ("1e309", None),
        ("-1e309", None),
        ("5e-324", Some(5e-324)),
        ("2e-324", None),
        ("0e-999999999999", Some(0.0)),
        ("1e999999999999", None),
        ("inf", Some(f64::INFINITY)),
        ("+Inf", Some(f64::INFINITY)),
        ("-INFINITY", Some(f64::NEG_INFINITY)),
        ("infinit", None),
        ("nan", None),
        ("-nan", None),
        ("0x10", Some(16.0)),
        ("-0X1.8p1", Some(-3.0)),
        ("0x.8", Some(0.5)),
        ("0x1p-1074", Some(5e-324)),
        ("0x1p-1075", None),
        ("0x1.8p-1075", Some(5e-324)),
        ("0x1p1024", None),
        ("0x1.fffffffffffff7p1023", Some(f64::MAX)),
        ("0x1.fffffffffffff8p1023", None),
        ("0x1.00000000000008p0", Some(1.0)),
        (
            "0x1.000000000000080000000000000000000000001p0",
            Some(1.0 + f64::EPSILON),
        ),
        (
            "0x10000000000000000000000000000000000000000p-160",
            Some(1.0),
        ),
        ("0x", None),
        ("0x.", None),
        ("0x1p", None),
        ("0x1p+", None),
        ("0x1g", None),
        ("0x+1", None),
        ("", None),
        (".", None),
        ("-", None),
        ("--1", None),
        ("+-1", None),
        ("1e", None),
        ("1e+", None),
        ("e5", None),
        (" 1", None),
        ("1 ", None),
        ("1\0", None),
        ("1_000", None),
        ("1,5", None),
    ];
    for (text, value) in cases {
        assert_eq!(
            parse_f64(text.as_bytes()).map(f64::to_bits),
            value.map(f64::to_bits),
            "{text:?}"
        );
    }
}

#[test]
fn doubles_are_written_as_g_lays_them_out() {
    let cases: &[(f64, &str)] = &[
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (-10.0, "-10"),
        (3.25, "3.25"),
        (0.1, "0.1"),
        (100.0, "100"),
        (1234.5, "1234.5"),
        (0.0001, "0.0001"),
        (0.00012345, "0.00012345"),
        (0.00001, "1e-05"),
        (1.5e-7, "1.5e-07"),
        (1e16, "10000000000000000"),
        (1e17, "1e+17"),
        (1.25e17, "1.25e+17"),
        (12345678901234567.0, "12345678901234568"),
        (9007199254740993.0, "9007199254740992"),
        (1e21, "1e+21"),
        (1e100, "1e+100"),
        (f64::MAX, "1.7976931348623157e+308"),
        (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
        (-5e-324, "-5e-324"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
        (f64::NAN, "nan"),
    ];
    for (value, text) in cases {
        assert_eq!(&*format_f64(*value), *text);
    }
}

/// `a + b` as `INCRBYFLOAT` has it.
fn check_sum(a: &str, b: &str, sum: &str) {
    let [a_value, b_value] =
        [a, b].map(|text| LongDouble::parse(text.as_bytes()).unwrap_or_else(|| panic!("{text:?}")));
    assert_eq!((a_value + b_value).format(), sum, "{a} + {b}");
    assert_eq!((b_value + a_value).format(), sum, "{b} + {a}");
}

#[test]
fn sums_are_those_of_x87() {
    check_sum("0", "0", "0");
    check_sum("10.5", "0.1", "10.6");
    check_sum("5.0e3", "2.0e2", "5200");
    check_sum("17179869184", "1.5", "17179869185.5");
    check_sum("1.23", "-1.23", "0");
    check_sum("-0", "-0", "0");
    check_sum("0.1", "0.2", "0.3");
    check_sum("3", "-1.1", "1.9");
    check_sum("1e-17", "0", "0.00000000000000001");
    check_sum("1e-18", "-2e-18", "0");
    check_sum("18446744073709551615", "1", "18446744073709551616");
    check_sum("18446744073709551615", "0.5", "18446744073709551616");
    check_sum("18446744073709551614", "0.5", "18446744073709551614");
    check_sum("18446744073709551616", "1", "18446744073709551616");
    check_sum("18446744073709551616", "3", "18446744073709551620");
    check_sum("18446744073709551616", "-0.5", "18446744073709551616");
    check_sum("18446744073709551616", "-0.75", "18446744073709551615");
    check_sum("1e30", "1", "1000000000000000000024696061952");
    check_sum("0x1p63", "0x.8p0", "9223372036854775808");
    check_sum("0x1p62", "0x.8p0", "4611686018427387904.5");
    check_sum("inf", "5", "inf");
    check_sum("-inf", "5", "-inf");
    check_sum("inf", "-inf", "nan");
    check_sum("1.18e4932", "1.18e4932", "inf");
}

#[test]
fn long_doubles_are_those_of_strtold_less_its_oddities() {
    let digits = "1".repeat(5119);
    let too_long = "1".repeat(5120);
    let cases: &[(&str, bool)] = &[
        ("1e4932", true),
        ("1.2e4932", false),
        ("3.7e-4951", true),
        ("1e-4951", false),
        ("1.83e-4951", true),
        (&digits, false),
        (&too_long, false),
        ("0e9999999999999", true),
        ("1e-9999999999999", false),
        ("nan", false),
        ("", false),
        (".", false),
        ("e1", false),
        ("1e", false),
        (" 1", false),
        ("1 ", false),
        ("0x1p16383", true),
        ("0x1p16384", false),
        ("0x1p-16445", true),
        ("0x1p-16446", false),
    ];
    for (text, valid) in cases {
        let head = &text[..text.len().min(20)];
        assert_eq!(
            LongDouble::parse(text.as_bytes()).is_some(),
            *valid,
            "{head:?}"
        );
    }
    let long = format!("{}e-5000", "1".repeat(5000));
    assert_eq!(
        LongDouble::parse(long.as_bytes())
            .expect("in range")
            .format(),
        "0.11111111111111111"
    );
}

#[test]
fn large_long_doubles_are_written_in_full() {
    let text = LongDouble::parse(b"1e4000").expect("in range").format();
    assert_eq!(text.len(), 4000);
    assert!(
        text.starts_with("999999999999999999996546387309962378493249258350695"),
        "{text}"
    );
    let negative = LongDouble::parse(b"-1e25").expect("in range").format();
    assert_eq!(negative, "-10000000000000000000000000");
}

proptest! {
    #[test]
    fn doubles_read_back(bits: u64) {
        let value = f64::from_bits(bits);
        prop_assume!(!value.is_nan());
        let text = format_f64(value);
        prop_assert_eq!(parse_f64(text.as_bytes()).map(f64::to_bits), Some(bits), "{}", text);
    }

    #[test]
    fn integers_read_back(value: i64) {
        let mut buffer = itoa::Buffer::new();
        prop_assert_eq!(parse_i64(format_i64(&mut buffer, value)), Some(value));
    }

    #[test]
    fn integers_agree_with_the_standard_library(text in "-?[0-9]{1,21}") {
        let expected = text.parse::<i64>().ok().filter(|value| value.to_string() == text);
        prop_assert_eq!(parse_i64(text.as_bytes()), expected);
    }

    /// A long double holds every double, so its decimal reading must agree with the standard library's.
    #[test]
    fn long_doubles_of_exact_decimals_agree_with_doubles(mantissa in -(1i64 << 52)..1i64 << 52, scale in 0u32..12) {
        let value = mantissa as f64 / f64::from(1u32 << scale);
        let parsed = LongDouble::parse(format!("{value:.12}").as_bytes());
        prop_assert_eq!(parsed.map(LongDouble::format), Some(LongDouble::from(value).format()));
        prop_assert_eq!(LongDouble::from(value).format().parse::<f64>(), Ok(value));
    }

    #[test]
    fn no_text_panics(text in "[0-9a-fxpeinty.+-]{0,24}") {
        parse_i64(text.as_bytes());
        parse_f64(text.as_bytes());
        if let Some(value) = LongDouble::parse(text.as_bytes()) {
            (value + value).format();
        }
    }
}
