"""The ports of `application.ports` over AWS, one module per service resource."""
