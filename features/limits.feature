Feature: Limits
  Too many calls are turned away, and an integrator that errs too often is locked out. Only ever tried against the mock.

  @LIM-01
  Scenario Outline: <calls> are limited per minute
    Given a mock that enforces the documented limits
    Then above the documented rate <calls> are answered 429, and a minute later no more

    Examples:
      | calls             |
      | order submissions |
      | order queries     |
      | order deletions   |

  @LIM-02
  Scenario: Five hundred client errors in an hour block the integrator for an hour
    Given a mock that enforces the documented limits
    Then from the 500th client error on every call is answered 423, for an hour

  @LIM-03
  Scenario: A thousand calls during a block make it permanent
    Given a mock that enforces the documented limits
    Then 1000 calls during a block make it permanent, and 999 do not
