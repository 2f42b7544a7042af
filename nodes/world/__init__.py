"""The WORLD vocoder (Morise, Yokomori and Ozawa 2016), through pyworld."""
