Feature: Authentication
  Every call but the two that get tokens carries gumgaToken and integrator.

  @AUTH-01
  Scenario: The right credentials get an access token and a refresh token
    Given the integrator's credentials
    Then every attempt gets an access token and a refresh token

  @AUTH-02
  Scenario Outline: Credentials are refused when <fault>
    Given the integrator's credentials
    When <fault>
    Then every attempt is refused with 4xx

    Examples:
      | fault                         |
      | the password is wrong         |
      | the credentials are malformed |
      | the credentials are missing   |

  @AUTH-03
  Scenario Outline: Without a token <call> is refused
    Given <call>
    When the gumgaToken header is left out
    Then every call is refused with 403 and NO_TOKEN

    Examples:
      | call                       |
      | a listing of the accounts  |
      | any submission of an order |
      | any query for an order     |
      | any deletion of an order   |
      | any reconciliation         |
      | any release                |

  @AUTH-04
  Scenario Outline: With a token that nobody was given <call> is refused
    Given <call>
    When the token is unknown or damaged
    Then every call is refused with 403

    Examples:
      | call                       |
      | a listing of the accounts  |
      | any submission of an order |
      | any query for an order     |
      | any deletion of an order   |
      | any reconciliation         |
      | any release                |

  @AUTH-05
  Scenario Outline: A token dies when its life is over, and <call> is refused
    Given <call>
    Then it is accepted just before the token's life is over and refused with 403 and NO_TOKEN just after

    Examples:
      | call                       |
      | a listing of the accounts  |
      | any submission of an order |
      | any query for an order     |
      | any deletion of an order   |
      | any reconciliation         |
      | any release                |

  @AUTH-06
  Scenario: A refresh token gets a new pair
    Given the integrator's credentials
    Then every refresh gets a new access token that works and a new refresh token

  @AUTH-07
  Scenario: A refresh token works once
    Given the integrator's credentials
    Then every refresh token is taken once and refused after that

  @AUTH-08
  Scenario Outline: Without the integrator's UUID <call> is refused
    Given <call>
    When the integrator header is missing or no UUID
    Then every call is refused with 4xx

    Examples:
      | call                       |
      | a listing of the accounts  |
      | any submission of an order |
      | any query for an order     |
      | any deletion of an order   |
      | any reconciliation         |
      | any release                |
